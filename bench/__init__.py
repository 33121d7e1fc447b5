"""What our loop costs, measured beside asyncio, uvloop, Twisted and others: `python -m bench`; see doc/benchmarks.rst.

Two kinds of modules. `__main__`, `catalogue`, `plan`, `measure`, `serving`, `aioserving`, `twistedserving`, `results`,
`rounds`, `table`, `report`, `scaling`, `plots`, `child`, `native`, `certificate` and `machine` belong to the process
that asks for the measurements and never loads what is measured. `servers`, `aioservers`, `webserver`, `guests`,
`frameservers`, `datagrams`, `clients`, `guestclients`, `holders`, `ops`, `many`, `calls`, `aiocalls`, `twistedcalls`,
`undertwisted`, `spawning`, `visits` and `load` are the processes that it starts; they import little, so that what they
show is the loop's. `peers` is what both know: the loops' names.
"""
