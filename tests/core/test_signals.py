"""What signals do to a process whose reactor runs, each in a process of its own."""

from __future__ import annotations

import threading

import pytest
from script import outputs, script

from reactor._core.signals import StopSignals


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_S1_stopsTheReactor(name: str) -> None:
    printed = script(
        f"""
        import os, signal
        from reactor import reactor
        before = signal.getsignal(signal.{name})
        for phase in ("before", "during", "after"):
            reactor.addSystemEventTrigger(phase, "shutdown", print, phase)
        reactor.callWhenRunning(os.kill, os.getpid(), signal.{name})
        reactor.run()
        print("returned", signal.getsignal(signal.{name}) is before, signal.set_wakeup_fd(-1))
        """
    )
    assert printed == ["before", "during", "after", "returned True -1"]


def test_S1_endsALongWait() -> None:
    """Sent from outside while the reactor waits in the kernel, with nothing to do for an hour."""
    printed = script(
        """
        import os, signal, subprocess, sys
        from reactor import reactor
        # By the time that it has started, the reactor waits.
        killer = f"import os, signal; os.kill({os.getpid()}, signal.SIGTERM)"
        other = subprocess.Popen([sys.executable, "-c", killer])
        reactor.callLater(3600, print, "too late")
        reactor.run()
        print("returned", other.wait())
        """
    )
    assert printed == ["returned 0"]


def test_S1_beforeItRuns() -> None:
    """Inside run(), but the loop has not begun to turn."""
    printed = script(
        """
        import os, signal
        from reactor import reactor
        reactor.addSystemEventTrigger("before", "startup", os.kill, os.getpid(), signal.SIGINT)
        reactor.addSystemEventTrigger("before", "shutdown", print, "shutdown")
        reactor.run()
        print("returned", reactor.running)
        """
    )
    assert printed == ["shutdown", "returned False"]


def test_S1_aSecondOneDoesNotWait() -> None:
    """For a trigger whose Deferred never fires."""
    printed = script(
        """
        import os, signal
        from reactor import reactor
        from reactor.defer import Deferred
        def never():
            print("before")
            reactor.callLater(0, os.kill, os.getpid(), signal.SIGINT)
            return Deferred()
        reactor.addSystemEventTrigger("before", "shutdown", never)
        reactor.addSystemEventTrigger("after", "shutdown", print, "after")
        reactor.callWhenRunning(os.kill, os.getpid(), signal.SIGINT)
        reactor.run()
        print("returned")
        """
    )
    assert printed == ["before", "returned"]


def test_S1_twoAtOnceAreOne() -> None:
    printed = script(
        """
        import os, signal
        from reactor import reactor
        def both():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
        reactor.addSystemEventTrigger("before", "shutdown", print, "before")
        reactor.callWhenRunning(both)
        reactor.run()
        print("returned")
        """
    )
    assert printed == ["before", "returned"]


def test_S1_inEveryRun() -> None:
    printed = script(
        """
        import os, signal
        from reactor import reactor
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            reactor.callWhenRunning(os.kill, os.getpid(), name)
            reactor.run()
            print("returned", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        """
    )
    assert printed == ["returned True"] * 3


@pytest.mark.parametrize("own", ["lambda *_: print('mine')", "signal.SIG_IGN"])
def test_S2_ownHandlers(own: str) -> None:
    printed = script(
        f"""
        import os, signal
        from reactor import reactor
        own = {own}
        signal.signal(signal.SIGINT, own)
        signal.signal(signal.SIGTERM, lambda *_: print("not called while the reactor runs"))
        def inside():
            print(signal.getsignal(signal.SIGINT) is own)
            os.kill(os.getpid(), signal.SIGINT)
            print("goes on")
            os.kill(os.getpid(), signal.SIGTERM)
        reactor.callWhenRunning(inside)
        reactor.run()
        print(signal.getsignal(signal.SIGINT) is own)
        os.kill(os.getpid(), signal.SIGTERM)
        """
    )
    mine = ["mine"] if "mine" in own else []
    assert printed == ["True", *mine, "goes on", "True", "not called while the reactor runs"]


def test_S2_notWanted() -> None:
    """Without installSignalHandlers SIGINT raises KeyboardInterrupt, in a callback perhaps, and it comes out."""
    printed = script(
        """
        import os, signal
        from reactor import reactor
        reactor.addSystemEventTrigger("during", "shutdown", print, "shutdown")
        def inside():
            print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        reactor.callWhenRunning(inside)
        try:
            reactor.run(installSignalHandlers=False)
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    assert printed == ["True", "shutdown", "interrupted"]


def test_S2_inAnotherThread() -> None:
    printed = script(
        """
        import signal, threading
        from reactor.base import Reactor
        def handlers():
            return signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        before = handlers()
        reactor = Reactor()
        reactor.callLater(0, lambda: print(handlers() == before))
        reactor.callLater(0, reactor.stop)
        thread = threading.Thread(target=reactor.run)
        thread.start()
        thread.join()
        print("returned")
        """
    )
    assert printed == ["True", "returned"]


def test_S2_theWakeupDescriptorOfOthersIsPutBack() -> None:
    printed = script(
        """
        import signal, socket
        from reactor import reactor
        mine, other = socket.socketpair()
        mine.setblocking(False)
        signal.set_wakeup_fd(mine.fileno())
        reactor.callLater(0, reactor.stop)
        reactor.run()
        print(signal.set_wakeup_fd(-1) == mine.fileno())
        mine.close()
        other.close()
        """
    )
    assert printed == ["True"]


def test_S2_whatWasNotInstalledIsNotPutBack() -> None:
    done: list[str] = []

    def work() -> None:
        installed = StopSignals(lambda number: None, -1)
        installed.restore()
        done.append("without a ValueError")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["without a ValueError"]


def test_S2_inAnotherInterpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which has a main thread too, and may set no handlers."""
    # What measures coverage in every process cannot start in another interpreter.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    printed = script(
        """
        import sys
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        lines = [
            f"import sys; sys.path[:] = {sys.path!r}",
            "from reactor._core.signals import StopSignals",
            "installed = StopSignals(print, 1)",
            "installed.restore()",
            "print('nothing installed', flush=True)",
        ]
        other = interpreters.create()
        problem = interpreters.run_string(other, chr(10).join(lines))
        assert problem is None, problem
        interpreters.destroy(other)
        """
    )
    assert printed == ["nothing installed"]


def test_S3_thousandsOfSignals() -> None:
    """More than the wakeup pipe has room for: the handler runs, the loop lives, nobody complains."""
    printed = script(
        """
        import os, signal
        from reactor import reactor
        count = 0
        def handler(number, frame):
            global count
            count += 1
        signal.signal(signal.SIGUSR1, handler)
        def many():
            me = os.getpid()
            # One byte each goes into the pipe, 65536 fill it.
            for _ in range(70_000):
                os.kill(me, signal.SIGUSR1)
            reactor.callFromThread(print, "called")
            reactor.callLater(0.01, reactor.stop)
        reactor.callWhenRunning(many)
        reactor.run()
        print(count)
        """
    )
    assert printed == ["called", "70000"]


def test_S3_callFromThreadInAHandler() -> None:
    printed = script(
        """
        import os, signal
        from reactor import reactor
        done = []
        signal.signal(signal.SIGUSR1, lambda number, frame: reactor.callFromThread(done.append, 1))
        def some():
            for _ in range(1000):
                os.kill(os.getpid(), signal.SIGUSR1)
            reactor.callFromThread(reactor.stop)
        reactor.callWhenRunning(some)
        reactor.run()
        print(len(done))
        """
    )
    assert printed == ["1000"]


def test_S4_sigpipe() -> None:
    """Ignored, as CPython starts: to write to a socket that is gone is an error and no death."""
    printed = script(
        """
        import os, signal, socket
        from reactor import reactor
        def ignored():
            with open("/proc/self/status") as status:
                (line,) = (line for line in status if line.startswith("SigIgn"))
            return bool(int(line.split()[1], 16) & 1 << signal.SIGPIPE - 1)
        reactor.callLater(0, lambda: print(ignored()))
        reactor.callLater(0, reactor.stop)
        reactor.run()
        print(ignored())
        """
    )
    assert printed == ["True", "True"]


def test_anErrorWhileItRunsIsLoggedAndNoStackIsLost() -> None:
    """A handler that raises while user code runs is an exception of that code."""
    printed, said = outputs(
        """
        import os, signal
        from reactor import reactor
        def handler(number, frame):
            raise KeyError("of the handler")
        signal.signal(signal.SIGUSR1, handler)
        reactor.callLater(0, os.kill, os.getpid(), signal.SIGUSR1)
        reactor.callLater(0.01, print, "goes on")
        reactor.callLater(0.01, reactor.stop)
        reactor.run()
        """
    )
    assert printed == "goes on\n"
    assert "a delayed call raised" in said
    assert "KeyError: 'of the handler'" in said


def test_S2_whatIsSetDuringTheRunStays() -> None:
    """Handlers, and the descriptor that the interpreter writes to."""
    printed = script(
        """
        import os, signal
        from reactor import reactor
        def own(*args):
            pass
        reads, writes = os.pipe()
        os.set_blocking(writes, False)
        def begin():
            signal.signal(signal.SIGTERM, own)
            signal.set_wakeup_fd(writes)
            reactor.stop()
        reactor.callWhenRunning(begin)
        reactor.run()
        print(signal.getsignal(signal.SIGTERM) is own, signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        print(signal.set_wakeup_fd(-1) == writes)
        """
    )
    assert printed == ["True True", "True"]
