"""How long tests wait, and how much they may work: two limits, since other programs may have the machine.

A test waits for what must happen, and goes on at once when it has. So the limit of such a wait costs nothing while all
is well; it has to be shorter than anybody's patience with a test that hangs, and longer than it may take on a machine
of which others want all. What is to be fast has a limit in CPU time of this process (``time.process_time``), which is
about the same on a busy machine.
"""

from __future__ import annotations

#: Seconds until something that a test waits for must have happened: an event, a thread's end, a program's.
PATIENCE = 100.0
