"""Load that lasts: `python -m bench.soak`, explained in doc/benchmarks.rst.

The server is our reactor in a process of its own (`server`). Its clients are plain sockets and an epoll (`crowd`), in
the process that asks for it all, and share no code with what is tested. A third process (`pinger`) is an honest old
connection that measures how long the server is away from it. `scenarios` says what the crowd does, and `verdict` what
must be true of the server afterwards.
"""
