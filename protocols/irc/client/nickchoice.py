"""Which nickname to ask for: what the program wants, what the server takes of it, and what to try instead.

Pure: no connection, no clock. What the server says goes in, the next nickname comes out.
"""

from __future__ import annotations

from protocols.irc.casemapping import fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["NickChoice"]

# Octets of a nickname that every server takes (RFC 2812, section 1.2.1).
_EVERYWHERE = 9
# Wishes that may wait for their answer; of more, the oldest are forgotten.
_MOST_PENDING = 10


class NickChoice:
    """The nicknames that a client asks one server for."""

    def __init__(self) -> None:
        #: How the server compares names, see `fold`.
        self.casemapping = "rfc1459"
        #: What the program wants us to be called; empty before it said so.
        self.wanted = ""
        #: The last of those that the server has not refused: what we go back to.
        self.settled = ""
        #: Names of our own making that were tried since the last wish.
        self.tries = 0
        # Wishes that were not answered yet, the oldest first.
        self._pending: list[str] = []
        # Of what the name that we try was made, and that name before it was cut.
        self._base = self._last = ""
        # Characters that a nickname has at most, by the server's word and by what became of those that we asked for.
        self._told: int | None = None
        self._seen: int | None = None
        # What the server does not take at all.
        self._refused: set[str] = set()

    def wish(self, nickname: str, answered: bool) -> None:
        """The program wants us to be called `nickname`; `answered`: the server will say whether it takes that, and we
        keep what we have until then.
        """
        self.wanted = self._base = self._last = nickname
        self.tries = 0
        if answered:
            self._pending = [*self._pending, nickname][-_MOST_PENDING:]
        else:
            self.settled = nickname

    # ---- What the server takes ----

    def limit(self, longest: int | None) -> None:
        """The server says how many characters a nickname has at most (NICKLEN); None if it takes that back."""
        self._told = longest

    @property
    def longest(self) -> int | None:
        """Characters that a nickname has at most; None while that is not known."""
        return self._told if self._told is not None else self._seen

    @property
    def obtainable(self) -> str:
        """What to ask for to be called as the program wants; empty when the server does not take that."""
        name = self._cut(self.wanted)
        return "" if name in self._refused else name

    def isWanted(self, nickname: str) -> bool:
        """Whether `nickname` is what the program wants, or all that this server takes of it."""
        return bool(self.wanted) and self._same(self._cut(self.wanted), nickname)

    def compare(self, asked: str, told: str) -> bool:
        """Look at what the server makes of `asked`: whether `told` is it, whole or cut to what the server takes."""
        folded, seen = self._fold(asked), self._fold(told)
        if folded == seen:
            return True
        if (
            self._told is not None
            or not folded.startswith(seen)
            or len(told.encode("utf-8", "surrogateescape")) < _EVERYWHERE
        ):
            return False
        self._seen = len(told)
        return True

    def given(self, nickname: str) -> bool:
        """The server calls us `nickname` now. Whether that answers a wish."""
        for number, name in enumerate(self._pending):
            if self.compare(self._cut(name), nickname):
                self.settled = name
                del self._pending[: number + 1]
                return True
        return False

    def keep(self) -> None:
        """What the program wants is taken by somebody, and stays what we want."""
        self.settled = self.wanted
        self._pending.clear()

    def takeBack(self, words: Sequence[str]) -> None:
        """The server refuses a wish: one that is among `words`, else the oldest. We want what we wanted before."""
        if not self._pending:
            return
        among = [name for name in self._pending if any(self._same(self._cut(name), word) for word in words)]
        self._pending.remove((among or self._pending)[0])
        self.wanted = self._pending[-1] if self._pending else self.settled

    def refuse(self, nickname: str) -> None:
        """The server will never take `nickname`."""
        self._refused.add(nickname)

    # ---- What to try instead ----

    def altered(self, alter: Callable[[str], str]) -> str:
        """What to ask for, the last name being taken: what `alter` makes of it, as much as the server takes."""
        self._last = alter(self._last)
        return self._fitted()

    def other(self, refused: str, fallback: str) -> str:
        """What to ask for, `refused` being none that the server takes; empty when nothing is left.

        What we made up ourselves may only be too long. Else it is `fallback`.
        """
        self.refuse(refused)
        if self.tries:
            if len(refused) > _EVERYWHERE:
                self._seen = _EVERYWHERE
            shorter = self._fitted()
            if shorter not in self._refused:
                return shorter
        self._base = self._last = fallback
        return "" if fallback in self._refused else fallback

    def _fitted(self) -> str:
        """The last name, cut where what was made another name of it is not lost."""
        name, longest = self._last, self.longest
        if longest is None or len(name) <= longest:
            return name
        ending = name.removeprefix(self._base)
        return self._base[: longest - len(ending)] + ending if len(ending) < longest else name[:longest]

    def _cut(self, nickname: str) -> str:
        return nickname[: self.longest]

    def _fold(self, nickname: str) -> str:
        return fold(nickname, self.casemapping)

    def _same(self, one: str, other: str) -> bool:
        return self._fold(one) == self._fold(other)
