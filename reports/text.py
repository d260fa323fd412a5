"""Makes text from a target harmless and visible: what it sent may hold escape codes, half characters or direction marks."""

from __future__ import annotations

import re

CODE = re.compile(r"`([^`\n]+)`")
"""How statements and reasons mark what stands on the wire; splitting by it gives prose and code in turn."""

LIMIT = 4_000
"""Characters of one value that a face without scrolling shows; the JSON holds the whole."""


def visible(text: str, *, keep: str = "") -> str:
    r"""``text`` with everything that has no ink as an escape such as ``\x1b``, ``\u202e`` or ``\ud800``.

    The result is always encodable as UTF-8, legal in XML, and cannot move a terminal's cursor or reorder a line. A plain
    space stays, and so do the characters in ``keep`` (usually a newline). Backslashes are left alone: the reader's
    convenience comes first, and the hex window is the proof.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode("ascii") for c in text)


def one_line(text: str) -> str:
    """``text`` made visible on a single line: runs of white space become one space."""
    return visible(" ".join(text.split()))


def block(text: str, limit: int | None = LIMIT) -> str:
    """``text`` made visible over several lines, cut after ``limit`` characters with a note of how many are left out."""
    text = text.replace("\r\n", "\\r\n")
    if limit is not None and len(text) > limit:
        text = f"{text[:limit]}\n… {len(text) - limit} more characters; the JSON report has them"
    return visible(text, keep="\n")


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """``1 request``, ``2 requests``, ``12,345 requests``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
