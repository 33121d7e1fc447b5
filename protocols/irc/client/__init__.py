"""The IRC client, built up file by file; `protocols.irc` has its public names."""

from protocols.irc.client.client import IRCClient as IRCClient
