"""The samples that a document prints, cut out of its plain text: programs, JSON bodies, streams, header lines.

The documents have lost their layout in places: a heading stands glued to the last brace of a sample, and one program
has lost its indentation. A sample is always a verbatim piece of its document; only ``indented`` gives back what was lost.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["curl", "python", "javascript", "json", "events", "headers"]

HEADING = r"[A-Z0-9][\w.()\u2014:-]*(?: [\w.()\u2014:-]+){0,4}"
"""At most five words, the first with a capital or a digit; no slash, bar, quote or ``=``."""

STARTS: dict[Language, str] = {
    "curl": r"curl ",
    "python": r"import ",
    "javascript": r"(?:const|async function) ",
    "json": r"\{$",
    "events": r"data: ",
    "headers": r"X-[\w-]+: ",
}
"""How the first line of a sample begins. No line of prose begins so."""

PROGRAM = rf"[\s\S]+?(?:(?<=[)}}])(?=[A-Z])|(?=\n\n{HEADING}\n)|\Z)"
"""To a closing bracket with a capital letter glued to it, or to a heading between empty lines."""

WHOLE: dict[Language, str] = {
    "curl": r"""curl(?:(?: |\\\n)+(?:"[^"]*"|'[^']*'|[^\s'"\\]+))+""",
    "python": PROGRAM,
    "javascript": PROGRAM,
    "events": r"data: .*[]}](?:\n(?:\.{3}\n)?data: .*[]}])*",
    "headers": r"X-[\w-]+: \d+(?:\nX-[\w-]+: \d+)*",
}
"""A sample from its beginning to its end; JSON is measured by its grammar instead."""

START = re.compile("|".join(f"(?P<{language}>^{start})" for language, start in STARTS.items()), re.MULTILINE)
CONSTANT = re.compile(r"^const [A-Z_]+ = .*;$", re.MULTILINE)
INDENT = "    "
CUT = "\0"
SPACED = r"(?:(?<=\n\n)|\A)"
GLUED = rf"(?:^|{CUT}|^# .*[a-z](?=[A-Z]))"
"""What stands before a heading: in a text with empty lines, and in one without (there it may be glued to a comment)."""


@dataclass(frozen=True)
class Sample:
    """``code`` stands verbatim in ``document``, ``start`` characters from its beginning, below ``heading``.

    ``heading``: ``""`` if there is none. ``number``: which one of its language below headings of that name, from 1.
    """

    document: str
    heading: str
    language: Language
    number: int
    start: int
    code: str

    @property
    def id(self) -> str:
        """Where it stands, in words: ``guide.txt, Managing Sessions, curl 2``; the first of its kind has no number."""
        number = f" {self.number}" if self.number > 1 else ""
        return f"{self.document}, {self.heading}, {self.language}{number}"


def samples(document: str, text: str) -> tuple[Sample, ...]:
    """Every sample in the text of that document, in order."""
    found: list[Sample] = []
    numbers: Counter[tuple[str, str]] = Counter()
    for language, start, end in _pieces(text):
        heading = _heading(prose(text[:start], found))
        numbers[heading, language] += 1
        found.append(Sample(document, heading, language, numbers[heading, language], start, text[start:end]))
    return tuple(found)


def prose(text: str, found: Sequence[Sample]) -> str:
    """What is left of a document's text without these samples: ``CUT`` stands where one stood."""
    for sample in reversed(found):
        text = text[: sample.start] + CUT + text[sample.start + len(sample.code) :]
    return text


def constants(code: str) -> str:
    """The lines of a JavaScript sample that set its constants, for samples further down that use them."""
    return "\n".join(CONSTANT.findall(code))


def indented(code: str) -> str:
    """A Python sample whose lines all begin at the margin, with its blocks indented again; any other as it is.

    One rule: after a line that ends in a colon, all lines stand one level deeper. Nothing leads back out, so it fits a
    program whose blocks all end where it ends. Lines within brackets may stand anywhere in Python and need no rule.
    """
    if re.search(r"^\s", code, re.MULTILINE):
        return code
    lines: list[str] = []
    depth = 0
    for line in code.splitlines():
        lines.append(INDENT * depth + line)
        depth += line.endswith(":")
    return "\n".join(lines)


def _pieces(text: str) -> Iterator[tuple[Language, int, int]]:
    """Language, start and end of each sample."""
    at = 0
    while (match := START.search(text, at)) is not None:
        language = next(name for name in STARTS if match[name] is not None)
        at = _end(language, text, match.start())
        yield language, match.start(), at


def _end(language: Language, text: str, start: int) -> int:
    if language == "json":
        return start + json.JSONDecoder().raw_decode(text[start:])[1]
    match = re.compile(WHOLE[language]).match(text, start)
    if match is None:
        raise ValueError(f"the {language} sample at character {start} has no end: {text[start : start + 60]!r}")
    return match.end()


def _heading(above: str) -> str:
    """The last line that is a heading: below an empty line, or where there are none, at any line's beginning."""
    before = SPACED if "\n\n" in above else GLUED
    found = re.findall(f"{before}({HEADING})$", above, re.MULTILINE)
    return found[-1] if found else ""
