"""What a plain head says, at a glance: for the many responses that say it in the usual words.

A generator of load looks for the end of thousands of responses a second, and their heads differ in numbers alone: a length, what
remains of a limit, a time, an id. So a head is known by its *shape*, the head with every digit, and all of an id, made zeros; what stands
where in it is worked out once. A head in which any line is unusual is left to ``head.read_head`` and ``head.delimit``; a test holds the two equal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from .response import Delimiter

PLAIN = re.compile(rb"HTTP/1\.1 [0-9]{3} [^\r\n]*\r\n((?:[A-Za-z0-9-]+: [^\r\n]*\r\n)+)\r\n")
FRAMING = re.compile(rb"^(content-length|transfer-encoding|connection): +([^\r]*)", re.MULTILINE)
FIELD = re.compile(rb"\r\n([!#-'*-.0-9A-Z^-z|~]+): (?![ \t])([^\r\n]*)(?<![ \t])(?=\r\n)")
"""A header as nearly everybody writes it: one space, nothing to strip."""
BODYLESS = (204, 304)
LONGEST_LENGTH = 18
IDENTIFIER = re.compile(rb"([Ii][Dd]: )([!-~]+)(?=\r\n)")
"""The end of ``X-Request-Id`` and its like, whose value is another in each response, letters too. Nothing of it is looked at."""
ALIKE = bytes(ord("0") if chr(code) in "0123456789" else code for code in range(256))
SHAPES, LONGEST_HEAD = 1024, 4096
"""How many shapes are remembered, and of how many bytes; when there are more, they are learnt anew."""


class Outline(NamedTuple):
    """Status, what ends the body, its length where that is what ends it, and whether the connection stays.

    ``fields``: lower-case name -> where in the head its value stands, for each header whose name has no digit; ``None`` where a header
    is written in an unusual way or twice.
    """

    status: int
    delimiter: Delimiter
    length: int
    keep_alive: bool
    fields: Mapping[str, slice] | None = None


class _Shape(NamedTuple):
    delimiter: Delimiter
    length: slice
    keep_alive: bool
    fields: Mapping[str, slice] | None


_SHAPES: dict[bytes, _Shape | None] = {}
NOWHERE = slice(0, 0)


def outline(head: bytes, method: str) -> Outline | None:
    """The outline of a whole head, blank line included; ``None`` where it takes a closer look."""
    alike = head.translate(ALIKE)
    shape = _SHAPES.get(alike) or _learn(alike)
    if shape is None or method == "HEAD" or not head.startswith(b"HTTP/1.1 "):
        return None
    status = int(head[9:12])
    if not 200 <= status < 600 or status in BODYLESS:
        return None
    length = int(head[shape.length]) if shape.delimiter == "length" else 0
    return Outline(status, shape.delimiter, length, shape.keep_alive, shape.fields)


def _learn(alike: bytes) -> _Shape | None:
    alike = IDENTIFIER.sub(lambda match: match[1] + b"0" * len(match[2]), alike)
    if alike in _SHAPES:
        return _SHAPES[alike]
    found = _shape(alike)
    if len(alike) <= LONGEST_HEAD:
        if len(_SHAPES) >= SHAPES:
            _SHAPES.clear()
        _SHAPES[alike] = found
    return found


def _shape(alike: bytes) -> _Shape | None:
    plain = PLAIN.fullmatch(b"HTTP/1.1" + alike[8:]) if alike.startswith(b"HTTP/0.0 ") else None
    if plain is None:
        return None
    found: dict[bytes, tuple[bytes, slice]] = {}
    for match in FRAMING.finditer(plain[1].lower()):
        name, value = match[1], match[2].strip(b" \t")
        if name in found:
            return None
        at = plain.start(1) + match.start(2)
        found[name] = value, slice(at, at + len(value))
    coding, length = found.get(b"transfer-encoding"), found.get(b"content-length")
    if (coding is None) == (length is None):
        return None
    keep_alive = b"close" not in found.get(b"connection", (b"",))[0]
    if coding is not None:
        return _Shape("chunked", NOWHERE, keep_alive, _fields(alike)) if coding[0] == b"chunked" else None
    assert length is not None
    value, where = length
    if not value.isdigit() or len(value) > LONGEST_LENGTH:
        return None
    return _Shape("length", where, keep_alive, _fields(alike))


def _fields(alike: bytes) -> Mapping[str, slice] | None:
    """Where values stand. A name with a digit in it cannot be told from its like, so it is left out."""
    found: dict[str, slice] = {}
    matches = list(FIELD.finditer(alike[:-2]))
    for match in matches:
        name = match[1].decode().lower()
        if name in found and "0" not in name:
            return None
        found[name] = slice(*match.span(2))
    if len(matches) != alike.count(b"\n") - 2:
        return None
    return {name: where for name, where in found.items() if "0" not in name}
