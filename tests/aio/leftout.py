"""What of the interpreter's own tests of asyncio does not hold for our loop, and why.

Names are those of tests or of classes of tests. What is in `FAILS` is run, and a test of it that passes fails ours: the
entry is to go then. What is in `NOT_RUN` would hang, or tests nothing of a loop.
"""

from __future__ import annotations

import sys

_PRIVATE = "looks at a private attribute of asyncio's own loop, server or transport"
_MOCKED = "replaces names inside asyncio's own modules, through which nothing of ours goes"

FAILS: dict[str, dict[str, str]] = {
    "test_server": {
        "test_start_server_1": _PRIVATE,
        "test_start_unix_server_1": _PRIVATE,
    },
    "test_sendfile": {
        "test_sendfile_force_unsupported_native": _PRIVATE,
        "test_sendfile_no_fallback_for_fallback_transport": _PRIVATE,
        "test_sendfile_prevents_bare_write": "what is written while a file is being sent goes out behind it here",
    },
    "test_events": {
        "test_create_server_multiple_hosts_ipv4": _MOCKED,
        "test_create_server_multiple_hosts_ipv6": _MOCKED,
        "test_prompt_cancellation": _PRIVATE,
        "test_timeout_rounding": _PRIVATE,
        "test_unclosed_pipe_transport": "what is open on a loop is closed with it here",
    },
    "test_ssl": {
        "test_flush_before_shutdown": _PRIVATE,
        "test_remote_shutdown_receives_trailing_data": _PRIVATE,
        "test_shutdown_timeout_handler_not_set": _PRIVATE,
    },
}

if sys.version_info < (3, 13):
    FAILS["test_server"] |= {"test_wait_closed_basic": _PRIVATE, "test_wait_closed_race": _PRIVATE}

NOT_RUN: dict[str, dict[str, str]] = {
    "test_subprocess": {
        "GenericWatcherTests": "is about child watchers, which Python has dropped and this loop never asks",
        "SubprocessFastWatcherTests": "that child watcher takes away every child's status; Python has dropped it",
    },
}

#: What takes long, and asks little of a loop, or what our own tests ask as well (children). Run by
#: ``tox -e asyncio-suite`` only, which sets this variable to "all".
VARIABLE = "ASYNCIO_SUITE"
LONG = {
    "test_eager_task_factory",
    "test_futures",
    "test_locks",
    "test_queues",
    "test_ssl",
    "test_subprocess",
    "test_taskgroups",
    "test_tasks",
}

#: Modules that test no loop made by a factory, or that of another system.
NOT_ABOUT_LOOPS = {
    "test_base_events": "tests BaseEventLoop itself, by replacing what is inside of it",
    "test_selector_events": "tests BaseSelectorEventLoop itself, by replacing what is inside of it",
    "test_sslproto": "tests asyncio's SSLProtocol itself",
    "test_unix_events": "tests asyncio's loop for UNIX by replacing what is inside of it",
    "test_proactor_events": "is for Windows",
    "test_windows_events": "is for Windows",
    "test_windows_utils": "is for Windows",
    "test_free_threading": "tests asyncio's tasks without a loop of a factory",
    "test_tools": "tests a command line of asyncio",
    "test_graph": "tests call graphs of tasks",
}
