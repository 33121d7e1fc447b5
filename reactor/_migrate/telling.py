"""What there is to say, in words: a line for each name, a unified diff, a summary."""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter

from reactor._migrate.knowledge import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reactor._migrate.reading import Finding

#: The page that says how things differ; it is in the documentation and in the sources, not in what is installed.
PAGE = "doc/compatibility.rst"


_SHORT = {Kind.THERE: "there", Kind.DIFFERENT: "different", Kind.ABSENT: "not there"}


def lineOf(path: str, finding: Finding) -> str:
    """What is said of one name: where it stands, and what it is here."""
    name, lines, (kind, ours, here, rows, advice) = finding
    said = [_import(ours, here)] if ours else []
    if advice:
        said.append(advice)
    if rows:
        said.append("see " + ", ".join(f'"{row}"' for row in rows) + f" in {PAGE}")
    text = f"{path}:{lines[0]}: {name}: {kind.value}: {'; '.join(said)}"
    if kind is not Kind.THERE and len(lines) > 1:
        text += f" (also line {', '.join(map(str, lines[1:]))})"
    return text


def _import(ours: str, here: str) -> str:
    """How a program gets it."""
    if ours == "reactor.reactor":
        return f"reactor.{here}"
    outer, dot, member = here.partition(".")
    return f"from {ours} import {outer}" + (f", {outer}.{member}" if dot else "")


def summary(findings: Sequence[Finding], files: int, unread: int) -> str:
    """How many of what. A name counts once for each file that it is in."""
    counted = Counter(finding.answer.kind for finding in findings)
    text = f"{files} {'file' if files == 1 else 'files'}: "
    text += ", ".join(f"{counted[kind]} {short}" for kind, short in _SHORT.items())
    text += f"; {unread} could not be read" if unread else ""
    if counted[Kind.ABSENT]:
        text += "\nA program that needs what is not there can stay as it is, on this engine: reactor.twisted."
    return text


def diff(path: str, old: bytes, new: bytes) -> Iterator[bytes]:
    """A unified diff of one file, in its own encoding and with its own ends of lines, as ``patch -p0`` takes it."""
    # Split at line feeds alone, as patch does.
    before, after = (re.findall(rb"[^\n]*\n|[^\n]+\Z", data) for data in (old, new))
    name = _quoted(os.path.relpath(path))
    for line in difflib.diff_bytes(difflib.unified_diff, before, after, name, name):
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


def _quoted(path: str) -> bytes:
    """A file's name in a header: a tab ends one that has a space in it, and one with odder letters is put in quotes."""
    name = os.fsencode(path)
    if re.search(rb'[\x00-\x1f"\\\x7f]', name):
        return (
            b'"'
            + b"".join(b"\\%03o" % byte if byte < 32 or byte in b'"\\\x7f' else bytes([byte]) for byte in name)
            + b'"'
        )
    return name + (b"\t" if b" " in name else b"")
