"""``python -m reactor migrate``: reads files, says what is to be said, and ends with a status."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from reactor._migrate.files import File, filesOf, topLevel
from reactor._migrate.knowledge import Kind
from reactor._migrate.reading import Finding, Program, findings
from reactor._migrate.rewriting import Left, rewritten
from reactor._migrate.telling import diff, lineOf, summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence


class Read(NamedTuple):
    """A file that was read: what there is to say of it, its text with changed imports, what is left in there."""

    file: File
    findings: list[Finding]
    changed: str
    left: list[Left]


def migrate(options: Namespace) -> int:
    """Do what the options say; the exit status. Errors go to standard error, and all else but a diff's summary to
    standard output.
    """
    files, unread = read(options.paths)
    try:
        unread += _tell(files, options)
        said = summary([finding for each in files for finding in each.findings], len(files), unread)
        (complain if options.diff else say)(said)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has had enough, as head(1) has. What is left in the buffer must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if unread:
        return 2
    return int(any(finding.answer.kind is not Kind.THERE for each in files for finding in each.findings))


def read(paths: Sequence[str]) -> tuple[list[Read], int]:
    """All files that there are, and how many could not be read, of which standard error tells."""
    found: list[Read] = []
    refused: list[OSError] = []
    bad = 0
    for path in filesOf(paths, refused.append):
        try:
            found.append(_read(path))
        except OSError as e:
            refused.append(e)
        except SyntaxError as e:
            bad += 1
            complain(f"{path}:{e.lineno or 1}: does not parse: {e.msg}")
    for name in sorted({topLevel(each.file.path) for each in found} & {"reactor", "protocols"}):
        complain(f"there is a {name} in this program: ours is called so too, and one will hide the other")
    for error in refused:
        complain(f"{error.filename}: {error.strerror}")
    return found, bad + len(refused)


def _read(path: str) -> Read:
    file = File(path)
    program = Program(file.text)
    changed, left = rewritten(program)
    if changed != file.text and not file.faithful:
        changed, left = file.text, [Left(1, f"it would not be the same {file.encoding} again: change it by hand")]
    if changed != file.text:
        # What is printed or written can be read again, whatever is wrong here.
        Program(changed)
    return Read(file, findings(program), changed, left)


def _tell(files: Sequence[Read], options: Namespace) -> int:
    failed = 0
    for file, found, changed, left in files:
        for line, why in left:
            complain(f"{file.path}:{line}: left as it is: {why}")
        if options.diff:
            sys.stdout.buffer.writelines(diff(file.path, file.data, changed.encode(file.encoding)))
            continue
        for finding in found:
            if not options.quiet or finding.answer.kind is not Kind.THERE:
                say(lineOf(file.path, finding))
        if options.write and changed != file.text:
            try:
                file.write(changed)
                say(f"{file.path}: changed")
            except OSError as e:
                failed += 1
                complain(f"{file.path}: {e.strerror}")
    return failed


def say(text: str) -> None:
    # Names of files need not be text; of standard error Python takes care itself.
    encoding = sys.stdout.encoding
    sys.stdout.write(f"{text}\n".encode(encoding, "backslashreplace").decode(encoding))


def complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")
