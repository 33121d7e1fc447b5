"""Programs that run child processes, to be run on Twisted and here: `process_traces.py here|twisted PROGRAM...`.

Each prints what its protocol hears, in order where the order is no matter of chance.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

PACKAGE = {"here": "reactor", "twisted": "twisted.internet"}[sys.argv[1]]
# One for each program, made in its fork.
reactor: Any = None
protocol, error, utils = (import_module(f"{PACKAGE}.{name}") for name in ("protocol", "error", "utils"))
SH = "/bin/sh"


def tell(*words: object) -> None:
    print(*words, flush=True)


def name(reason: Any) -> str:
    value = reason.value
    facts = [getattr(value, fact, None) for fact in ("exitCode", "signal", "status")]
    return f"{type(value).__name__} {facts}"


class Child(protocol.ProcessProtocol):  # type: ignore[name-defined,misc]
    """Tells what it hears; of what comes through pipes, at the end."""

    def __init__(self, made: Any = None, **on: Any) -> None:
        self.made = made
        self.on = on
        self.received: dict[int, bytes] = {}
        self.closed: list[int] = []

    def connectionMade(self) -> None:
        tell("made", self.transport.pid is not None, self.transport.status)
        if self.made is not None:
            self.made(self)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.received[childFD] = self.received.get(childFD, b"") + data
        if "data" in self.on:
            self.on["data"](self)

    def childConnectionLost(self, childFD: int) -> None:
        self.closed.append(childFD)
        if "lost" in self.on:
            self.on["lost"](self)

    def processExited(self, reason: Any) -> None:
        tell("exited", name(reason), self.transport.pid)

    def processEnded(self, reason: Any) -> None:
        tell("ended", name(reason), self.transport.pid, self.transport.status, sorted(self.closed))
        tell(sorted(self.received.items()))
        try:
            self.transport.signalProcess("TERM")
        except error.ProcessExitedAlready:
            tell("ProcessExitedAlready")
        self.transport.write(b"dropped")
        self.transport.loseConnection()
        reactor.stop()


def run(child: Child, script: str, **kw: Any) -> None:
    reactor.callWhenRunning(reactor.spawnProcess, child, SH, ["sh", "-c", script], **kw)


def exits(code: str) -> None:
    run(Child(), f"echo out; echo err >&2; exit {code}")


def killed(by: str) -> None:
    run(Child(lambda child: child.transport.signalProcess(by)), "exec sleep 60")


def stdin() -> None:
    def made(child: Child) -> None:
        child.transport.write(b"one ")
        child.transport.writeSequence([b"two ", b"three"])
        child.transport.writeToChild(0, b" four")
        child.transport.closeStdin()

    run(Child(made), "cat; echo end")


def closedByUs() -> None:
    def made(child: Child) -> None:
        child.transport.loseConnection()
        tell("closed", child.closed)

    run(Child(made), "cat >&3", childFDs={0: "w", 1: "r", 2: "r", 3: "r"})


def order() -> None:
    closed: list[int] = []

    def made(child: Child) -> None:
        child.transport.loseConnection()

    def lost(child: Child) -> None:
        tell("lost", child.closed[-1])
        closed.append(child.closed[-1])
        if len(closed) == 3:
            child.transport.signalProcess("KILL")

    run(Child(made, lost=lost), "exec sleep 60")


def others() -> None:
    def made(child: Child) -> None:
        child.transport.writeToChild(5, b"five\n")
        try:
            child.transport.writeToChild(9, b"x")
        except KeyError:
            tell("KeyError")
        child.transport.closeChildFD(9)

    run(Child(made), "read x <&5; echo $x >&4", childFDs={4: "r", 5: "w"})


def closedByChild() -> None:
    def lost(child: Child) -> None:
        if child.closed == [0]:
            tell("stdin lost")
            child.transport.write(b"nobody")
            child.transport.writeToChild(3, b"\n")

    run(Child(lost=lost), "exec 0<&-; read x <&3", childFDs={0: "w", 1: "r", 2: "r", 3: "w"})


def terminal() -> None:
    # When the terminal no longer echoes, which is when the child has said so.
    def heard(child: Child) -> None:
        if child.received[1] == b"\r\n":
            child.transport.write(b"line\n")
            child.transport.closeStdin()

    run(
        Child(data=heard),
        "stty -echo; echo; read x; echo got $x; test -t 0 && test -t 2 && echo terminal",
        usePTY=True,
        env=None,
    )


def surroundings() -> None:
    run(Child(), "pwd; echo $A$B; echo $0", env={"A": "a"}, path="/usr")


def errors() -> None:
    def attempt(*args: Any, **kw: Any) -> None:
        try:
            reactor.spawnProcess(Child(), *args, **kw)
        except Exception as e:
            tell(type(e).__name__)

    def all_() -> None:
        attempt("true", ["true"], usePTY=True, childFDs={0: "w"})
        attempt("/nonexistent/program", ["program"])
        reactor.stop()

    reactor.callWhenRunning(all_)


def getters() -> None:
    waiting: list[int] = []

    def told(result: Any, which: str) -> None:
        tell(which, result)
        waiting.pop()
        if not waiting:
            reactor.stop()

    def failed(failure: Any, which: str) -> None:
        value = failure.value
        if isinstance(value, OSError):
            value.processEnded.addErrback(lambda reason: told(name(reason), which + " ended"))
            tell(which, "OSError")
        else:
            told(tuple(value), which)

    def all_() -> None:
        for get in ("getProcessOutput", "getProcessValue", "getProcessOutputAndValue"):
            for script in ("echo x; exit 3", "kill -9 $$", "echo oops >&2", "cd; echo ${A}b"):
                waiting.append(1)
                found = getattr(utils, get)(SH, ["-c", script], {"A": "a"}, "/usr", reactor)
                which = f"{get} {script}"
                found.addCallbacks(told, failed, (which,), None, (which,), None)

    # In any order: sorted by whoever compares.
    reactor.callWhenRunning(all_)


PROGRAMS = {
    f.__name__: f
    for f in (exits, killed, stdin, closedByUs, order, others, closedByChild, terminal, surroundings, errors, getters)
}


def main() -> None:
    global reactor
    for program in sys.argv[2:]:
        tell("#", program)
        # Twisted's reactor runs once.
        pid = os.fork()
        if pid == 0:
            reactor = __import__(PACKAGE, fromlist=["reactor"]).reactor
            what, _, argument = program.partition(" ")
            PROGRAMS[what](*([argument] if argument else []))
            reactor.callLater(15, os._exit, 1)
            reactor.run()
            os._exit(0)
        if os.waitpid(pid, 0)[1]:
            tell("failed")


if __name__ == "__main__":
    main()
