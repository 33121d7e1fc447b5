"""Who keeps the workers: as many as there are to be, no more than one start too many, no end unseen."""

from __future__ import annotations

import signal

from reactor._core.backoff import grown
from reactor._core.timers import checkDelay
from reactor._ground.current import currentReactor
from reactor._ground.log import message
from reactor.defer import CancelledError, Deferred, succeed
from reactor.service import Service
from reactor.workers.process import CANNOT, State, Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from reactor._core.timers import DelayedCall

# More are a mistake rather than a wish.
_MOST = 4096


class Workers(Service):
    """Processes that each call one function: ``python -m reactor workers`` as a service.

    A worker that ends without having been asked to is started anew: at once if it lived for `healthy` seconds, else
    after a delay that grows with each such end from `initialDelay` by `factor` up to `maxDelay`.
    """

    #: Seconds after which a worker counts as one that works.
    healthy: float = 10.0
    #: The first delay, in seconds.
    initialDelay: float = 0.5
    #: How much longer the next one is.
    factor: float = 2.0
    #: The longest delay, in seconds.
    maxDelay: float = 30.0
    #: Seconds that a worker has beyond the deadline before it is killed.
    grace: float = 3.0

    def __init__(
        self,
        count: int,
        function: str,
        arguments: Sequence[str] = (),
        drain: float | None = 30.0,
        reactor: Any = None,
        descriptors: Sequence[int] = (),
    ) -> None:
        """Nothing is started yet.

        :param count: how many processes.
        :param function: as ``module:function``. Each worker imports the module, as ``python -m`` finds it, and calls
            ``function(reactor, number, *arguments)`` before its reactor runs; what that may return is described at
            `reactor.workers`' page. Numbers count from 0; a successor has its predecessor's.
        :param arguments: texts for the function.
        :param drain: seconds that a worker's connections have to finish when it stops; None: as long as they take.
        :param reactor: which looks after the workers; None: the one that runs, else the default one.
        :param descriptors: those of this process that each worker is to have too, by the same numbers: sockets that
            listen, say.
        :raises ValueError, TypeError: for an argument that is none.
        """
        if not isinstance(count, int) or isinstance(count, bool):
            raise TypeError(f"Workers(): count must be an int, not {count!r}")
        if not 1 <= count <= _MOST:
            raise ValueError(f"Workers(): count must be from 1 to {_MOST}, not {count}")
        module, colon, name = function.partition(":")
        if not (colon and module and name):
            raise ValueError(f"Workers(): function must be module:function, not {function!r}")
        if drain is not None:
            checkDelay(drain, "Workers", "drain")
        self.count = count
        self.function = function
        self.arguments = list(arguments)
        self.drainSeconds = drain
        self._descriptors = list(descriptors)
        self._reactor = reactor
        # Those that live, by their numbers.
        self._workers: dict[int, Worker] = {}
        # Invariant: while this runs, each number is in one of these two.
        self._pauses: dict[int, DelayedCall] = {}
        # Ends before their time, in a row, by number.
        self._failures: dict[int, int] = {}
        self._started: Deferred[None] | None = None
        self._stopped: list[Deferred[int]] = []
        self._killing: DelayedCall | None = None
        self._killed = 0
        # Numbers that are still to be replaced, and the successor that is not ready yet, by `restart`.
        self._old: list[int] = []
        self._leaving: set[Worker] = set()

    @property
    def processes(self) -> list[int]:
        """The process ids of those that live."""
        return [worker.pid for worker in self._living()]

    def startService(self) -> Deferred[None]:
        """Start them. The Deferred fires when all are ready, that is when their function has returned and their
        reactors run. It fails with RuntimeError when one of them cannot be started at all, with CancelledError when
        they are stopped before that.
        """
        if self.running:
            message("warning", "%r: startService() was called, but it is running already", self)
            return succeed(None)
        super().startService()
        self._killed = 0
        # Those that are still stopping do so beside their successors.
        self._leaving.update(self._workers.values())
        self._workers.clear()
        self._failures.clear()
        started: Deferred[None] = Deferred()
        self._started = started
        for number in range(self.count):
            self._start(number)
        return started

    def stopService(self) -> Deferred[int]:
        """As `drain`, with what the constructor was given."""
        return self.drain(self.drainSeconds)

    def drain(self, deadline: float | None) -> Deferred[int]:
        """Have all of them stop gracefully, each with the deadline that the constructor was given. Who still lives
        `grace` seconds after `deadline` is killed; the Deferred fires with the number of those when none is left.
        """
        self._startNoMore()
        living = self._living()
        for worker in living:
            worker.stop()
        stopped: Deferred[int] = Deferred()
        if not living:
            stopped.callback(0)
        else:
            self._stopped.append(stopped)
            if deadline is not None and self._killing is None:
                self._killing = self._clock().callLater(deadline + self.grace, self._killLate)
        self._startedNever()
        return stopped

    def restart(self) -> None:
        """Replace the workers one after the other: the successor is started, and when it is ready its predecessor is
        asked to stop. A successor that ends before it is ready leaves the rest as they are.
        """
        if self.running and not self._old:
            message("info", "%r: the workers are replaced", self)
            self._old = list(self._workers)
            self._replaceNext()

    def killAll(self) -> None:
        """End those that live at once, and wait until they have ended. For whoever stops in a hurry."""
        self._startNoMore()
        for worker in self._living():
            self._kill(worker)
        self._startedNever()

    def _startNoMore(self) -> None:
        super().stopService()
        for pause in self._pauses.values():
            pause.cancel()
        self._pauses.clear()
        self._old.clear()

    def _startedNever(self) -> None:
        """Tell who waits for all to be ready that they will not be."""
        started, self._started = self._started, None
        if started is not None:
            started.errback(CancelledError("stopped before all workers were ready"))

    # What happens.

    def _clock(self) -> Any:
        if self._reactor is None:
            self._reactor = currentReactor()
        return self._reactor

    def _start(self, number: int) -> None:
        self._pauses.pop(number, None)
        arguments = [str(number), repr(self.drainSeconds), self.function, *self.arguments]
        try:
            worker = Worker(self._clock(), number, arguments, self._ready, self._exited, self._descriptors)
            self._workers[number] = worker
        except OSError as e:
            message("warning", "%r: worker %d cannot be started: %s", self, number, e)
            self._later(number)
        else:
            message("info", "%r: started", worker)

    def _later(self, number: int) -> None:
        failures = self._failures[number] = self._failures.get(number, 0) + 1
        delay = grown(self.initialDelay, self.factor, self.maxDelay, failures - 1)
        message("info", "%r: worker %d is started anew in %.3g s", self, number, delay)
        self._pauses[number] = self._clock().callLater(delay, self._start, number)

    def _ready(self, worker: Worker) -> None:
        message("info", "%r", worker)
        predecessor = next((each for each in self._leaving if each.number == worker.number), None)
        if predecessor is not None:
            predecessor.stop()
        self._replaceNext()
        if self._started is not None and all(each.state is State.READY for each in self._workers.values()):
            if len(self._workers) == self.count:
                started, self._started = self._started, None
                started.callback(None)

    def _replaceNext(self) -> None:
        while self._old:
            number = self._old.pop(0)
            worker = self._workers.get(number)
            if worker is not None and worker.state is State.READY:
                self._leaving.add(worker)
                del self._workers[number]
                self._start(number)
                return

    def _exited(self, worker: Worker) -> None:
        number = worker.number
        if worker in self._leaving:
            self._leaving.discard(worker)
        else:
            self._workers.pop(number, None)
            if self.running:
                self._died(worker)
        if self._stopped and all(each.state is not State.STOPPING for each in self._living()):
            self._allGone()

    def _died(self, worker: Worker) -> None:
        """It was not asked to end."""
        number = worker.number
        message("warning", "%r %s", worker, worker.how)
        predecessor = next((each for each in self._leaving if each.number == number), None)
        if predecessor is not None and predecessor.state is State.READY:
            message("warning", "%r: the others are not replaced, since this successor failed", self)
            self._old.clear()
            self._leaving.discard(predecessor)
            self._workers[number] = predecessor
        elif worker.status == CANNOT and self._started is not None:
            started, self._started = self._started, None
            started.errback(RuntimeError(f"worker {number} cannot be started: it {worker.how}; it has logged why"))
        elif self._clock().seconds() - worker.began >= self.healthy:
            self._failures.pop(number, None)
            self._start(number)
        else:
            self._later(number)

    def _living(self) -> list[Worker]:
        return [*self._workers.values(), *self._leaving]

    def _killLate(self) -> None:
        self._killing = None
        for worker in self._living():
            # Others have been started meanwhile.
            if worker.state is State.STOPPING:
                self._kill(worker)

    def _kill(self, worker: Worker) -> None:
        message("warning", "%r has not stopped in time and is killed", worker)
        self._killed += 1
        worker.kill()

    def _allGone(self) -> None:
        if self._killing is not None:
            self._killing.cancel()
            self._killing = None
        stopped, self._stopped = self._stopped, []
        for each in stopped:
            each.callback(self._killed)

    def __repr__(self) -> str:
        return f"<{self.count} workers for {self.function}, {'running' if self.running else 'not running'}>"


def restartOnHangup(workers: Workers) -> None:
    """Let SIGHUP mean `restart`, from the main thread of the process."""
    clock = workers._clock()
    signal.signal(signal.SIGHUP, lambda *_: clock.callFromThread(workers.restart))
