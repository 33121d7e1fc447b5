"""Child processes: the protocol above and the transport below. Descriptors are numbered as the child sees them."""

from __future__ import annotations

from zope.interface import Attribute, Interface

from reactor.interfaces._stream import ITransport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.failure import Failure


class IProcessProtocol(Interface):
    """This end of a child's pipes."""

    def makeConnection(process: IProcessTransport) -> None:
        """The child runs."""

    def childDataReceived(childFD: int, data: bytes) -> None:
        """The child wrote `data` to `childFD`."""

    def childConnectionLost(childFD: int) -> None:
        """The pipe of `childFD` is closed."""

    def processExited(reason: Failure) -> None:
        """The child has ended, with `reactor.error.ProcessDone` or `ProcessTerminated`; its pipes may still hold
        data.
        """

    def processEnded(reason: Failure) -> None:
        """The child has ended and all pipes are closed. Once, the last call, with the same `reason`."""


class IProcessTransport(ITransport):
    """A child process. `write` goes to its standard input."""

    pid = Attribute("The child's process id, an int; None once it has ended.")

    def closeStdin() -> None:
        """Close the child's standard input when all that was written has been sent."""

    def closeStdout() -> None:
        """Read the child's standard output no longer."""

    def closeStderr() -> None:
        """Read the child's standard error no longer."""

    def closeChildFD(descriptor: int) -> None:
        """Close the pipe of `descriptor`."""

    def writeToChild(childFD: int, data: bytes) -> None:
        """Write `data` to the pipe of `childFD`. KeyError if there is none."""

    def loseConnection() -> None:
        """Close stdin, stdout and stderr."""

    def signalProcess(signalID: str | int) -> None:
        """Send a signal: a number, or ``"HUP"``, ``"INT"``, ``"TERM"``, ``"KILL"`` ... `ProcessExitedAlready` if it
        has ended.
        """
