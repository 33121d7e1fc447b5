"""A connected stream: the wire, what a protocol sees of it, its states, what is on its way out."""
