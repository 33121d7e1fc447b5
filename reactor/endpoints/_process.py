"""A client endpoint that runs a program and is connected to its standard input and output."""

from __future__ import annotations

from enum import Enum

from reactor._ground.current import currentReactor
from reactor._ground.log import message
from reactor.address import ProcessAddress
from reactor.defer import Deferred, fail, succeed
from reactor.error import ConnectionDone, NoProtocol, ProcessDone
from reactor.failure import Failure
from reactor.protocol import ProcessProtocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IStreamClientEndpoint

    Text = str | bytes
else:
    from reactor._ground.declare import IStreamClientEndpoint, implementer


class StandardErrorBehavior(Enum):
    """What becomes of what a program writes to its standard error."""

    LOG = "log"
    DROP = "drop"


@implementer(IStreamClientEndpoint)
class ProcessEndpoint:
    """Runs a program for each connection."""

    def __init__(
        self,
        reactor: Any,
        executable: Text,
        args: Sequence[Text] = (),
        env: Mapping[str, str] | Mapping[bytes, bytes] | None = {},
        path: Text | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: Any = False,
        childFDs: Mapping[int, int | str] | None = None,
        errFlag: StandardErrorBehavior = StandardErrorBehavior.LOG,
    ) -> None:
        """The arguments are those of `reactor.spawnProcess`; `reactor` None is the one that runs in this thread, else
        the default one. `errFlag` says whether what the program writes to its standard error is logged or dropped.
        """
        self._reactor = reactor
        self._executable = executable
        self._how = (executable, args, env, path, uid, gid, usePTY, childFDs)
        self._errFlag = errFlag

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Run the program. The Deferred fires with the protocol, whose `connectionLost` is told when the program has
        ended: with ConnectionDone, or with ProcessTerminated. Its transport is the process's (`IProcessTransport`).

        It fails with OSError when the program cannot be run, and with what the factory raises.
        """
        try:
            reactor = self._reactor if self._reactor is not None else currentReactor()
            protocol = protocolFactory.buildProtocol(ProcessAddress())
            if protocol is None:
                raise NoProtocol(f"{type(protocolFactory).__name__}.buildProtocol returned None")
            reactor.spawnProcess(_Between(protocol, self._executable, self._errFlag), *self._how)
        except Exception:
            return fail()
        return succeed(protocol)


class _Between(ProcessProtocol):
    """Tells a stream's protocol what happens to a process."""

    def __init__(self, protocol: Any, executable: Text, errFlag: StandardErrorBehavior) -> None:
        self._protocol = protocol
        self._executable = executable
        self._errFlag = errFlag

    def makeConnection(self, process: Any) -> None:
        self.transport = process
        self._protocol.makeConnection(process)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        if childFD == 1:
            self._protocol.dataReceived(data)
        elif childFD == 2 and self._errFlag is StandardErrorBehavior.LOG:
            message("warning", "program %r wrote to its standard error: %r", self._executable, data)

    def processEnded(self, reason: Failure) -> None:
        self._protocol.connectionLost(Failure(ConnectionDone()) if reason.check(ProcessDone) else reason)
