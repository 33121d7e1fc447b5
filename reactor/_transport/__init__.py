"""Bytes, in and out; private to the package."""
