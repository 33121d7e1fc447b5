"""How a client gets a connection: names, the race of addresses, one attempt, the connector."""
