"""Streams cut into messages: lines, strings behind lengths, netstrings; pure splitters and the protocols on them."""
