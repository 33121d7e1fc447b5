"""How a server gets connections, and how a port ends."""
