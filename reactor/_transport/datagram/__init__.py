"""UDP and groups."""
