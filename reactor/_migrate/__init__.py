"""``python -m reactor migrate``: which of a program's names of Twisted's are here, and its imports changed accordingly.

Nothing of the program is imported, and Twisted need not be there: `reading` looks at the syntax tree, `knowledge` says
what is here under which name, by tables (`internet`, `neighbours`, `elsewhere`, `differences`) that the tests hold
against the house, against Twisted, and against doc/compatibility.rst. `rewriting` changes imports, `command` finds the
files and says what there is to say.
"""
