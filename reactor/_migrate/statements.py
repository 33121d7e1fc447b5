"""Import statements as text: where they stand, where their module's name stands, and how a new one is written."""

from __future__ import annotations

import ast
import io
import re
import tokenize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    # A module, or None for `import NAME`; names with what they are bound to (None: the same), and where they come from.
    Line = tuple[str | None, list[tuple[str, str | None, ast.alias]]]

# How long a line may be that was not longer before.
_WIDTH = 88


class Text:
    """A program's text, and where in it the lines are that the tree speaks of."""

    def __init__(self, text: str) -> None:
        self.text = text
        # As Python counts lines: not at a form feed or the like, where str.splitlines() would.
        self.lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line))

    def index(self, line: int, column: int) -> int:
        """The place of a line (from 1) and a column, which counts bytes of UTF-8."""
        return self._starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def range(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Where a node begins, and the place behind it."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.index(node.lineno, node.col_offset), self.index(node.end_lineno, node.end_col_offset)


class Statement:
    """An import statement in a text."""

    def __init__(self, text: Text, node: ast.Import | ast.ImportFrom) -> None:
        self.node = node
        self.start, self.end = text.range(node)
        self._source = text.text[self.start : self.end]
        line = text.lines[node.lineno - 1]
        before = text.text[text.index(node.lineno, 0) : self.start]
        behind = text.text[self.end : text.index(node.end_lineno or 0, 0) + len(text.lines[(node.end_lineno or 0) - 1])]
        #: Whether nothing but a comment shares its lines.
        self.alone = not before.strip() and not behind.lstrip().startswith(";")
        self.indent = before if self.alone else ""
        self.newline = line[len(line.rstrip("\r\n")) :] or "\n"
        self._width = max(_WIDTH, *(len(each) for each in (before + self._source).splitlines()))
        # Alone, it can be taken apart: its own newlines are inside of brackets or behind a backslash.
        readline = io.StringIO(re.sub(r"\r\n?", "\n", self._source)).readline
        self._tokens = [token for token in tokenize.generate_tokens(readline) if token.type != tokenize.NL]

    def moduleRange(self) -> tuple[int, int]:
        """Where the name of its module stands, in ``from MODULE import``."""
        names = [token for token in self._tokens if token.type in (tokenize.NAME, tokenize.OP)]
        last = next(number for number, token in enumerate(names) if number and token.string == "import") - 1
        lines = Text(self._source)
        places = [lines.index(*token) for token in (_place(names[1].start, lines), _place(names[last].end, lines))]
        return self.start + places[0], self.start + places[1]

    def comments(self) -> tuple[list[str], dict[int, list[str]]]:
        """The comments inside of it: those behind the opening bracket, and those of each alias, by its number."""
        first: list[str] = []
        others: dict[int, list[str]] = {}
        rows = [alias.lineno - self.node.lineno + 1 for alias in self.node.names]
        for token in self._tokens:
            if token.type == tokenize.COMMENT:
                row = token.start[0]
                on = [number for number, each in enumerate(rows) if each == row]
                # On a line of its own it speaks of what follows.
                after = [number for number, each in enumerate(rows) if each > row]
                if row == 1 and not on:
                    first.append(token.string)
                else:
                    number = on[-1] if on else after[0] if after else len(rows) - 1
                    others.setdefault(number, []).append(token.string)
        return first, others

    def written(self, lines: Sequence[Line]) -> str:
        """These statements in its place. ValueError if it has comments, and there is no room for them."""
        first, others = self.comments()
        if not self.alone:
            if first or others:
                raise ValueError("there are comments in it, and other statements beside it: change it by hand")
            return "; ".join(self._line(*line) for line in lines)
        numbers = {id(alias): number for number, alias in enumerate(self.node.names)}
        written = []
        for module, names in lines:
            comments = [others.get(numbers[id(alias)], []) for _, _, alias in names]
            short = self._line(module, names)
            if not first and not any(comments) and (len(self.indent + short) <= self._width or module is None):
                written.append(short)
                continue
            opening = f"from {module} import ("
            rows = ["  ".join([opening, *first])]
            for (name, bound, _), its in zip(names, comments, strict=True):
                rows.append("  ".join([f"{self.indent}    {_named(name, bound)},", *its]))
            rows.append(f"{self.indent})")
            written.append(self.newline.join(rows))
        return (self.newline + self.indent).join(written)

    def _line(self, module: str | None, names: Sequence[tuple[str, str | None, ast.alias]]) -> str:
        brought = ", ".join(_named(name, bound) for name, bound, _ in names)
        return f"from {module} import {brought}" if module else f"import {brought}"


def _named(name: str, bound: str | None) -> str:
    return f"{name} as {bound}" if bound else name


def _place(position: tuple[int, int], lines: Text) -> tuple[int, int]:
    """Line, and column in bytes, of a token's position, whose column counts characters."""
    line, column = position
    return line, len(lines.lines[line - 1][:column].encode())
