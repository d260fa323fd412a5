"""Status line and headers of a response, byte by byte, and what they say of where its body ends (RFC 9112 4 to 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .response import Delimiter, FramingProblem, Headers

STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-5][0-9]{2} [\t\x20-\x7e\x80-\xff]*")
STATUS_LIKE = re.compile(rb"[ \t]*HTTP/([0-9.]+)[ \t]+([0-9]{3})(?![0-9])[ \t]?(.*)", re.IGNORECASE | re.DOTALL)
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
HEAD_END = re.compile(rb"\n\r?\n")
SWITCHING_PROTOCOLS = 101


@dataclass(frozen=True)
class Head:
    """Status line and headers; ``end`` is the raw offset after the blank line."""

    version: str
    status: int
    reason: str
    headers: Headers
    end: int
    problems: tuple[FramingProblem, ...]

    def named(self, name: str) -> list[str]:
        """The values of every header of that name, which is given in lower case."""
        return [value for key, value in self.headers if key.lower() == name]


def is_interim(status: int) -> bool:
    """A 1xx that another response follows (all but 101)."""
    return 100 <= status < 200 and status != SWITCHING_PROTOCOLS


def read_head(raw: bytes, at: int) -> Head | None:
    """Status line and headers from raw offset ``at``; ``None`` if there is no status line. Forgives, and says what."""
    match = HEAD_END.search(raw, at)
    end = match.end() if match else len(raw)
    problems: list[FramingProblem] = []
    if not match:
        problems.append(FramingProblem(len(raw), "incomplete-head", "no blank line after the headers"))
    lines = raw[at:end].split(b"\n")
    first = lines[0].removesuffix(b"\r")
    status = STATUS_LIKE.fullmatch(first)
    if status is None:
        return None
    if not STATUS_LINE.fullmatch(first):
        problems.append(FramingProblem(at, "bad-status-line", f"{first[:60]!r}"))
    headers: list[tuple[str, str]] = []
    for index, line in enumerate(lines[:-1]):
        if not line.endswith(b"\r") and not any(p.kind == "bare-lf" for p in problems):
            problems.append(FramingProblem(at + len(line), "bare-lf", f"line {line[:40]!r} ends in LF without CR"))
        if index and line.removesuffix(b"\r"):
            problems += _read_field(line.removesuffix(b"\r"), at, headers)
        at += len(line) + 1
    return Head(status[1].decode(), int(status[2]), status[3].decode("latin-1"), tuple(headers), end, tuple(problems))


def _read_field(line: bytes, at: int, headers: list[tuple[str, str]]) -> list[FramingProblem]:
    if line[:1] in (b" ", b"\t") and headers:
        name, value = headers[-1]
        headers[-1] = (name, value + " " + line.strip(b" \t").decode("latin-1"))
        return [FramingProblem(at, "folded-header", f"{name} goes on in the next line")]
    match = FIELD_LINE.fullmatch(line)
    if match is None:
        name_, colon, value_ = line.partition(b":")
        if colon:
            headers.append((name_.strip(b" \t").decode("latin-1"), value_.strip(b" \t").decode("latin-1")))
        return [FramingProblem(at, "bad-header-line", f"not a header line: {line[:60]!r}")]
    headers.append((match[1].decode(), match[2].decode("latin-1")))
    if CONTROL.search(match[2]):
        return [FramingProblem(at, "bad-header-value", f"a control character in {line[:60]!r}")]
    return []


def delimit(head: Head, method: str) -> tuple[Delimiter, int]:
    """What ends the body, and its length where that is known (RFC 9112 6.3)."""
    if method == "HEAD" or head.status < 200 or head.status in (204, 304):
        return "none", 0
    codings = ",".join(head.named("transfer-encoding")).lower().split(",")
    if any(coding.strip(" \t") for coding in codings):
        return ("chunked" if codings[-1].strip(" \t") == "chunked" else "close"), 0
    lengths = [part.strip(" \t") for value in head.named("content-length") for part in value.split(",")]
    if lengths and lengths[0].isascii() and lengths[0].isdigit() and len(lengths[0]) < 19:
        return "length", int(lengths[0])
    return "close", 0
