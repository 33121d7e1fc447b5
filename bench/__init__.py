"""What our loop costs, measured beside asyncio, uvloop and Twisted: `python -m bench`, explained in doc/benchmarks.rst.

Two kinds of modules. `__main__`, `catalogue`, `plan`, `measure`, `rounds`, `table`, `child`, `native` and `machine`
belong to the process that asks for the measurements and never loads what is measured. `servers`, `clients`, `holders`,
`ops` and `load` are the processes that it starts, each with a command line of its own; they import little, so that what
they show is the loop's. `peers` is what both know: the loops' names.
"""
