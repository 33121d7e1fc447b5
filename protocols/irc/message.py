r"""One IRC message: bytes of a line in, `Message` out, and back. No connection, no meaning of commands.

A line is ``[@tags ][:source ]command[ parameter ...][ :last parameter]`` (RFC 1459 and RFC 2812, section 2.3.1; IRCv3
"Message Tags"). Parameters are separated by spaces alone, one or more: a tab belongs to its parameter. Text is UTF-8;
bytes that are none become lone surrogates (PEP 383), so that they come out of `Message.format` as they went in.

What stands before the last parameter (``:nick!user@host PRIVMSG #channel``) is the same in most lines of a
conversation, so it is looked up before it is taken apart: `parsemsg` takes 0.27 us where it took 0.52.
"""

from __future__ import annotations

import re

from protocols.irc.error import IRCBadMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

__all__ = [
    "MAX_BODY",
    "MAX_TAGS",
    "Message",
    "joinTags",
    "nickOf",
    "parseMessage",
    "parsemsg",
    "splitSource",
    "splitTags",
]

#: The most bytes of a message that is sent, without its tags and without CR LF: 512 with them (RFC 1459, 2.3).
MAX_BODY = 510
#: The most bytes of tags, with ``@`` and the space after them (IRCv3 "Message Tags").
MAX_TAGS = 8191

# (source, command, parameters but the last) by what stands before " :". Bounded, because peers choose what is in it.
_heads: dict[str, tuple[str, str, tuple[str, ...]]] = {}
_HEADS = 1024
_LONGEST_HEAD = 160

_FORBIDDEN = re.compile("[\0\r\n]").search
_NOT_IN_A_TAG_NAME = re.compile("[\0\r\n ;=]").search
# "+" for what clients say to each other, and who made it up, stand before the name (IRCv3 "Message Tags").
_TAG_NAME = re.compile(r"\+?(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9.-]+").fullmatch
_UNESCAPED = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}
_ESCAPED = str.maketrans({";": r"\:", " ": r"\s", "\\": r"\\", "\r": r"\r", "\n": r"\n"})
# The last backslash of a value that ends with one stands for nothing.
_unescape = re.compile(r"\\(.?)", re.DOTALL).sub


class Message:
    """An IRC message.

    `tags` are the IRCv3 tags, unescaped, a tag without a value having an empty one; `source` is who sent it
    (``nick!user@host`` or the name of a server), empty when the line names nobody; `command` is the command or the
    three digits, as in the line; `params` are its parameters.
    """

    __slots__ = ("command", "params", "source", "tags")

    def __init__(
        self, command: str, params: Iterable[str] = (), source: str = "", tags: Mapping[str, str] | None = None
    ) -> None:
        self.tags: dict[str, str] = dict(tags) if tags else {}
        self.source = source
        self.command = command
        self.params: list[str] = list(params)

    @classmethod
    def parse(cls, line: bytes | str) -> Self:
        """The message that `line` is.

        :param line: one line. A CR, an LF or both at its end do not belong to it.
        :raises IRCBadMessage: when there is no command, a CR, LF or NUL inside, or more than `MAX_TAGS` bytes of tags.
        """
        text = line.decode("utf-8", "surrogateescape") if isinstance(line, bytes) else line
        if "\n" in text or "\r" in text or "\0" in text:
            text = text.removesuffix("\n").removesuffix("\r")
            if _FORBIDDEN(text):
                raise IRCBadMessage(f"CR, LF or NUL inside a line: {_shown(text)}")
        if text[:1] == "@":
            section, _, text = text.partition(" ")
            if len(section) > MAX_TAGS // 4 and len(_encoded(section)) >= MAX_TAGS:
                raise IRCBadMessage(f"more than {MAX_TAGS} bytes of tags: {_shown(section)}")
            tags = splitTags(section[1:])
            if text[:1] == " ":
                # One or more (IRCv3 "Message Tags"): a source comes first in what is left.
                text = text.lstrip(" ")
        else:
            tags = {}
        head, colon, last = text.partition(" :")
        try:
            source, command, middle = _heads[head]
        except KeyError:
            source, command, middle = _takeApart(head)
        message = cls.__new__(cls)
        message.tags = tags
        message.source = source
        message.command = command
        message.params = [*middle, last] if colon else [*middle]
        return message

    def format(self, maximum: int = MAX_BODY) -> bytes:
        """The line that this message is, without CR LF. The last parameter has a colon where it needs one.

        :param maximum: the most bytes that there may be besides the tags.
        :raises ValueError: when a part has CR, LF or NUL, the command or a parameter but the last is empty or would be
            read as something else, or the line would be too long. A peer is never sent two lines for one.
        """
        command, params = self.command, self.params
        if not command or command[0] in ":@" or " " in command:
            raise ValueError(f"not a command: {command!r}")
        words = [command, *params]
        if self.source:
            if " " in self.source:
                raise ValueError(f"a space in the source of {command}: {self.source!r}")
            words.insert(0, ":" + self.source)
        if params:
            for param in params[:-1]:
                if not param or param[0] == ":" or " " in param:
                    raise ValueError(
                        f"only the last parameter of {command} can be empty, have a space or begin with ':': {param!r}"
                    )
            last = params[-1]
            if not last or last[0] == ":" or " " in last:
                words[-1] = ":" + last
        body = " ".join(words)
        if _FORBIDDEN(body):
            raise ValueError(f"CR, LF or NUL in a message: {_shown(body)}")
        line = _encoded(body)
        if len(line) > maximum:
            raise ValueError(f"{command} is {len(line)} bytes long, the limit is {maximum}")
        return b"%b %b" % (self._formatTags(), line) if self.tags else line

    def _formatTags(self) -> bytes:
        section = _encoded("@" + joinTags(self.tags))
        if len(section) >= MAX_TAGS:
            raise ValueError(f"{self.command} has {len(section) + 1} bytes of tags, the limit is {MAX_TAGS}")
        return section

    @property
    def nick(self) -> str:
        """The nickname of who sent it, or the name of the server that did; empty if there is no source."""
        return nickOf(self.source)

    @property
    def user(self) -> str:
        """The user name of who sent it, empty if the source has none."""
        return splitSource(self.source)[1]

    @property
    def host(self) -> str:
        """The host of who sent it, empty if the source has none."""
        return splitSource(self.source)[2]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        mine, theirs = (self.command, self.params, self.source), (other.command, other.params, other.source)
        return mine == theirs and self.tags == other.tags

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        more = "".join(f", {name}={value!r}" for name in ("source", "tags") if (value := getattr(self, name)))
        return f"Message({self.command!r}, {self.params!r}{more})"


def parseMessage(line: bytes | str) -> Message:
    """What `Message.parse` makes of `line`."""
    return Message.parse(line)


def parsemsg(s: str) -> tuple[str, str, list[str]]:
    """The source (without colon, empty if there is none), the command and the parameters of a line without tags.

    :raises IRCBadMessage: when there is no command.
    """
    head, colon, last = s.partition(" :")
    try:
        source, command, middle = _heads[head]
    except KeyError:
        source, command, middle = _takeApart(head)
    if colon:
        return source, command, [*middle, last]
    return source, command, [*middle]


def _takeApart(head: str) -> tuple[str, str, tuple[str, ...]]:
    """The source, the command and the parameters in `head`; remembered."""
    words = head.split(" ")
    if "" in words:
        words = [word for word in words if word]
    source = words.pop(0)[1:] if head[:1] == ":" else ""
    if not words:
        raise IRCBadMessage(f"no command: {_shown(head)}" if head else "an empty line")
    command, *middle = words
    known = source, command, tuple(middle)
    if len(head) <= _LONGEST_HEAD:
        if len(_heads) >= _HEADS:
            _heads.clear()
        _heads[head] = known
    return known


def splitSource(source: str) -> tuple[str, str, str]:
    """The nick, the user and the host of ``nick!user@host``; what is missing is empty.

    ``nick@host``, where the user alone is missing, is one as well (RFC 2812, 2.3.1).
    """
    name, _, host = source.partition("@")
    nick, _, user = name.partition("!")
    return nick, user, host


def nickOf(source: str) -> str:
    """The nick in ``nick!user@host``, ``nick@host`` or ``nick``; of a server, its name."""
    return splitSource(source)[0]


def splitTags(text: str) -> dict[str, str]:
    """The tags of ``name=value;name``: values unescaped, empty where there is none; of two by one name the last."""
    tags = {}
    for tag in text.split(";"):
        name, _, value = tag.partition("=")
        if name:
            tags[name] = _unescape(_unescaped, value) if "\\" in value else value
    return tags


def joinTags(tags: Mapping[str, str]) -> str:
    """``name=value;name`` of `tags`: values escaped, none where they are empty.

    :raises ValueError: when a name is empty or has what ends one, or a value has NUL.
    """
    words = []
    for name, value in tags.items():
        if not name or _NOT_IN_A_TAG_NAME(name):
            raise ValueError(f"not the name of a tag: {name!r}")
        if "\0" in value:
            raise ValueError(f"NUL in the tag {name}: {value!r}")
        words.append(f"{name}={value.translate(_ESCAPED)}" if value else name)
    return ";".join(words)


def checkTagName(name: str) -> None:
    """ValueError unless a tag that we make up may have that name.

    Not asked of what was received and is sent on: others' names pass as they came, as long as they stay names.
    """
    if not _TAG_NAME(name):
        raise ValueError(
            f"not the name of a tag, which has ASCII letters, digits, '-' and '.', as in '+draft/reply': {_shown(name)}"
        )


def _unescaped(match: re.Match[str]) -> str:
    return _UNESCAPED.get(match[1], match[1])


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "...")
