"""Threads: the digests of files, computed beside the event loop; and a thread that asks the event loop something.

python threads.py FILE...
"""

from __future__ import annotations

import hashlib
import sys
import threading

from reactor.base import Reactor
from reactor.defer import gatherResults
from reactor.task import react
from reactor.threads import blockingCallFromThread, deferToThread


def digest(name: str) -> str:
    """In a thread of the pool: may block, and may not touch what belongs to the reactor."""
    with open(name, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ask(reactor: Reactor) -> str:
    """In another thread: what belongs to the reactor is asked for, and waited for."""
    name = blockingCallFromThread(reactor, lambda: threading.current_thread().name)
    return f"{threading.current_thread().name.partition('-')[0]} asked {name}"


async def main(reactor: Reactor, *names: str) -> None:
    digests = await gatherResults([deferToThread(digest, name) for name in names])
    for name, found in zip(names, digests, strict=True):
        print(found, name, flush=True)
    print(await deferToThread(ask, reactor), flush=True)
    try:
        await deferToThread(digest, "/no/such/file")
    except OSError as e:
        print("failed:", type(e).__name__, flush=True)


react(main, sys.argv[1:])
