"""What a table says of one module of Twisted's."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Module:
    """The module of ours that takes its place, the names that are in both, and what to use instead of the others."""

    def __init__(self, ours: str, same: str, absent: Mapping[str, str] | None = None) -> None:
        """`same`: names with spaces between them. `absent`: such names -> what takes their place."""
        self.ours = ours
        self.same = frozenset(same.split())
        self.absent = {name: advice for names, advice in (absent or {}).items() for name in names.split()}
