"""``python -m reactor serve module:app``: an application of ASGI or WSGI, or a handler of ours, as a program."""
