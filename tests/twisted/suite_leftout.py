"""What of Twisted's own tests holds on its reactor for epoll and not on ours, and why.

Names are those of tests, without that of the reactor. What is in `LOST` is run, and one of them that holds is told: the
entry is to go then. There are ten at most. What is in `NOT_RUN` is run on neither.
"""

from __future__ import annotations

_TIME = "replaces reactor.seconds, which does not move timers here"
_CLASS = "asks whether a port is an instance of Twisted's own class"

LOST: dict[str, str] = {
    "twisted.test.test_internet.TimeTests.test_callLaterUsesReactorSecondsAsDelayedCallSecondsFactory": _TIME,
    "twisted.test.test_internet.TimeTests.test_callLaterUsesReactorSecondsInDelayedCall": _TIME,
    "twisted.internet.test.test_unix.UNIXTestsBuilder.test_listenFailure": (
        "replaces a method of Twisted's own class of ports, which does not open the socket here"
    ),
    "twisted.internet.test.test_unix.UNIXTestsBuilder.test_avoidLeakingFileDescriptors": (
        "waits for an entry in the log about descriptors that the system has dropped, unasked, when the bytes were read"
    ),
    "twisted.internet.test.test_unix.RealSocketTests.test_closePortInProtocolFactory": _CLASS,
}

#: Tests that hold or not as it comes, on either reactor, and why. They do not count.
RACES: dict[str, str] = {}

NOT_RUN: dict[str, str] = {
    "twisted.test.test_logfile.LogFileTests.test_cantChangeFileMode": "for root, takes from the machine its /dev/null",
    "twisted.internet.test.test_fdset.ReactorFDSetTestsBuilder.test_lostFileDescriptor": (
        "skips itself for EPollReactor by that name, since epoll does not tell of such a descriptor"
    ),
}
