"""From ``module:attribute`` to a handler: what the command line names is imported, and what it is found out."""

from __future__ import annotations

import inspect
import os
import sys
from pkgutil import resolve_name

from reactor._ground.naming import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["INTERFACES", "CannotLoad", "interfaceOf", "load"]

#: What an application may be; ``auto`` looks how many arguments it takes.
INTERFACES = ("auto", "asgi", "wsgi", "http")
_ARGUMENTS = {1: "http", 2: "wsgi", 3: "asgi"}


class CannotLoad(Exception):
    """There is no such application: the message says why."""


def load(spec: str) -> Any:
    """The application that ``module:attribute`` names, or ``module:factory()`` gives, with the current folder on the
    path. CannotLoad, also for whatever importing it raises, which is its cause.
    """
    module, colon, name = spec.partition(":")
    calls = name.endswith("()")
    if not (module and colon and name.removesuffix("()")):
        raise CannotLoad(f"{spec!r} is not module:attribute or module:factory()")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = resolve_name(f"{module}:{name.removesuffix('()')}")
    except ModuleNotFoundError as e:
        if e.name is not None and (module == e.name or module.startswith(f"{e.name}.")):
            raise CannotLoad(f"there is no module {e.name!r} (looked for {spec!r} from {here})") from e
        raise CannotLoad(f"importing {module!r} raised {type(e).__name__}: {e}") from e
    except AttributeError as e:
        raise CannotLoad(f"{module!r} has no {name.removesuffix('()')!r}") from e
    except Exception as e:
        raise CannotLoad(f"importing {module!r} raised {type(e).__name__}: {e}") from e
    if calls:
        try:
            found = found()
        except Exception as e:
            raise CannotLoad(f"{spec!r} raised {type(e).__name__}: {e}") from e
    if not callable(found):
        raise CannotLoad(f"{spec!r} is no application but {shown(found)}")
    return found


def interfaceOf(application: Any) -> str:
    """Which of `INTERFACES` an application is of. CannotLoad where that cannot be told."""
    try:
        signature = inspect.signature(application)
    except (TypeError, ValueError):
        fits = []
    else:
        fits = [count for count in _ARGUMENTS if _takes(signature, count)]
    if len(fits) != 1 and inspect.iscoroutinefunction(application) and 3 in fits:
        return "asgi"
    if len(fits) != 1:
        raise CannotLoad(
            f"{shown(application)} does not show whether it is of ASGI (scope, receive, send), of WSGI (environ,"
            " start_response) or a handler (request): say --interface"
        )
    return _ARGUMENTS[fits[0]]


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True
