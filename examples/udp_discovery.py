"""Find servers without knowing where they are: a client asks a group of hosts who is there, and lists who answers.

Run it without arguments to start two servers and a client in one process, on this machine alone. With "serve NAME" it
is one server, with "find" one client.
"""

from __future__ import annotations

import sys

from reactor import reactor
from reactor.protocol import DatagramProtocol

GROUP, PORT, INTERFACE = "239.255.1.7", 9797, "127.0.0.1"
QUESTION = b"who is there?"
# Seconds to wait for answers.
PATIENCE = 0.5


class Server(DatagramProtocol):
    """Answers the question with its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def startProtocol(self) -> None:
        joined = self.transport.joinGroup(GROUP, INTERFACE)
        joined.addErrback(lambda failure: print(failure.getErrorMessage()))

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        # An answer is no longer than what is asked for, whoever may have asked.
        if datagram == QUESTION:
            self.transport.write(self.name.encode()[: len(QUESTION)], addr)


class Client(DatagramProtocol):
    """Asks, and collects who answers in time."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def startProtocol(self) -> None:
        self.transport.setOutgoingInterface(INTERFACE)
        self.transport.write(QUESTION, (GROUP, PORT))
        reactor.callLater(PATIENCE, self.finish)

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        self.found.add(ascii(datagram.decode(errors="replace")))

    def finish(self) -> None:
        for name in sorted(self.found):
            print("found", name)
        reactor.stop()


def main(arguments: list[str]) -> None:
    names = ["ada", "grace"] if not arguments else arguments[1:] if arguments[0] == "serve" else []
    for name in names:
        reactor.listenMulticast(PORT, Server(name), listenMultiple=True)
    if not arguments or arguments == ["find"]:
        reactor.listenMulticast(0, Client())
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1:])
