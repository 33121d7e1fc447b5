"""Thin names that programs for Twisted import and that have no home of their own here.

Each module is called as that of ``twisted.internet`` (`threadable`: of ``twisted.python``), so that a program, or a
hook that maps imports, finds ``twisted.internet.X`` as ``reactor.X``, or else as ``reactor.compat.X``. They name what
the house has under other names; only `abstract.FileDescriptor` and `fdesc` do something. Nothing of the house imports
this room. doc/compatibility.rst lists what is in it, and which of Twisted's modules are not here at all.
"""
