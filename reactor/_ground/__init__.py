"""Words that every floor uses: facts of errors, declared interfaces, the log, types, which reactor is meant."""
