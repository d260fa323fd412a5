"""What is wrong with a script, and where: collected while it is read, shown with the line and a caret."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ...spec.files import Located, Problem, Spot, Where

WIDE = ("W", "F")
LONGEST_LINE = 160
"""How much of a line is shown."""


@dataclass
class Findings:
    """Mistakes and warnings about one file."""

    path: str
    text: str
    located: Located
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def error(self, spot: Spot, message: str, *, key: bool = False, word: str = "", line: int = 1) -> None:
        """A mistake at a value (or at its key), or at ``word`` in that value's text near its line ``line``.

        What is said of a whole whose part the schema has refused already would be said of something nobody wrote, and is not.
        """
        if any(len(bad) > len(spot) and bad[: len(spot)] == spot for bad in self.located.bad):
            return
        self.errors.append(Problem(*self._where(spot, key, word, line), message))

    def warn(self, spot: Spot, message: str, *, key: bool = False) -> None:
        """Something that works, and surely not as it was meant."""
        self.warnings.append(Problem(*self._where(spot, key, "", 1), message))

    def place(self, spot: Spot) -> str:
        """``file:line:column`` of a value."""
        line, column = self._where(spot, False, "", 1)
        return f"{self.path}:{line}:{column}"

    def _where(self, spot: Spot, key: bool, word: str, line: int) -> Where:
        first = self.located.keys if key else self.located.values
        for length in range(len(spot), -1, -1):
            known = spot[:length]
            for table in (first, self.located.values):
                if known in table:
                    return _find(self._lines, table[known], word, line)
        return 1, 1

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")


def show(path: str, text: str, errors: Iterable[Problem], warnings: Iterable[Problem]) -> Iterator[str]:
    """Every finding in the file's order: one line, the place in the file, a caret under it."""
    lines = text.splitlines()
    found = [(p, "") for p in errors] + [(p, "warning: ") for p in warnings]
    for problem, kind in sorted(found, key=lambda one: (one[0].line, one[0].column, one[1])):
        yield f"{path}:{problem.line}:{problem.column}: {kind}{problem.message}"
        if problem.line <= len(lines) and lines[problem.line - 1].strip():
            line = lines[problem.line - 1]
            shift = max(0, problem.column - LONGEST_LINE // 2) if len(line) > LONGEST_LINE else 0
            shown = _printable(line[shift : shift + LONGEST_LINE])
            yield f"  {problem.line:>4} | {shown}"
            yield f"       | {_indent(shown[: problem.column - 1 - shift])}^"


def _find(lines: list[str], start: Where, word: str, line: int) -> Where:
    """Where ``word`` stands, looked for from the start of the value and first of all in its line ``line``."""
    row, column = start
    header = lines[row - 1][column - 1 : column] if row <= len(lines) else ""
    if header in ("|", ">"):
        row, column = row + line, 1
        if row <= len(lines):
            column = len(lines[row - 1]) - len(lines[row - 1].lstrip()) + 1
    if word:
        sought = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
        for at in range(row, min(row + 10, len(lines)) + 1):
            found = sought.search(lines[at - 1], column - 1 if at == row else 0)
            if found:
                return at, found.start() + 1
    return (row, column) if row <= len(lines) else start


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


def _indent(text: str) -> str:
    """As much blank as ``text`` takes on a terminal."""
    return "".join("\t" if char == "\t" else _blank(char) for char in text)


def _blank(char: str) -> str:
    if unicodedata.combining(char):
        return ""
    return "  " if unicodedata.east_asian_width(char) in WIDE else " "
