"""What makes `Deferred[int]` legal at run time.

Type checkers see `typing.Generic`, whose import would cost more than all Deferreds.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic as Generic
    from typing import TypeVar

    T = TypeVar("T")
else:

    class T:
        """Stands for whatever a Deferred or queue is subscripted with."""

    class Generic:
        """A base that can be subscripted; what with, is for type checkers."""

        __slots__ = ()
        __class_getitem__ = classmethod(type(list[int]))
