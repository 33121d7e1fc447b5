"""Whether bytes that came are the answer to a question that was sent. Pure, and before anything is parsed.

RFC 5452, section 9.1: the id and the question must be those that were sent; that it came from the server that was asked
is the socket's to see to. The question stands in full behind the header of both, so bytes are compared.
"""

from __future__ import annotations

from enum import Enum

_HEADER = 12
# The bit that makes a message a response, and those of the opcode, which for a query are 0.
_RESPONSE, _OPCODE = 0x80, 0x78


class Verdict(Enum):
    """What came."""

    #: The answer.
    ANSWER = "answer"
    #: The right id and no question: a server that could not read it may say so (and nothing else) in this way.
    BARE = "bare"
    #: The answer, but for the letters' case, which had been mixed.
    OTHER_CASE = "other case"
    #: Anything else: whoever sent it did not get our question.
    FOREIGN = "foreign"


class Query:
    """One question as it is sent, but for its id.

    :ivar body: the message behind its id.
    """

    __slots__ = ("_exact", "_question", "body")

    def __init__(self, body: bytes, exact: bool = False) -> None:
        """With `exact` the letters of the name must come back as they are in `body`."""
        self.body = body
        end = _HEADER - 2
        while body[end]:
            end += body[end] + 1
        # Name, type and class.
        self._question = body[_HEADER - 2 : end + 5]
        self._exact = exact

    def wire(self, id: int) -> bytes:
        """The message with that id."""
        return id.to_bytes(2, "big") + self.body

    def judge(self, id: int, data: bytes) -> Verdict:
        """What `data` is for this query, sent with that id."""
        if len(data) < _HEADER or data[:2] != id.to_bytes(2, "big"):
            return Verdict.FOREIGN
        if not data[2] & _RESPONSE or data[2] & _OPCODE:
            return Verdict.FOREIGN
        count = int.from_bytes(data[4:6], "big")
        if count == 0:
            # An error, and nothing that would count as an answer.
            return Verdict.BARE if data[3] & 0x0F and data[6:8] == b"\0\0" else Verdict.FOREIGN
        mine = self._question
        theirs = data[_HEADER : _HEADER + len(mine)]
        if count != 1 or theirs[-4:] != mine[-4:]:
            return Verdict.FOREIGN
        if theirs == mine:
            return Verdict.ANSWER
        # Lengths are below 64 and so no letters.
        if theirs[:-4].lower() != mine[:-4].lower():
            return Verdict.FOREIGN
        return Verdict.OTHER_CASE if self._exact else Verdict.ANSWER
