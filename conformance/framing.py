"""HTTP/1.1 response framing from raw bytes (RFC 9112), in two depths and without I/O.

``Framer`` runs while bytes arrive and only answers "is that all?". ``parse`` runs later, on everything that was recorded:
it keeps what libraries throw away (case, order and duplicates of headers, chunk boundaries, what came when) and names each
way in which the bytes break the rules, h11 being the second opinion.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import h11

Headers = tuple[tuple[str, str], ...]
Delimiter = Literal["length", "chunked", "close", "none"]

PROBLEMS = {
    "bad-status-line": "RFC 9112 4",
    "bad-header-line": "RFC 9112 5: no token before the colon, a space before it, or no colon",
    "bad-header-value": "RFC 9110 5.5: a control character in a value",
    "folded-header": "RFC 9112 5.2: a header continued on the next line",
    "bare-lf": "RFC 9112 2.2: a line of the framing that ends in LF without CR",
    "incomplete-head": "the connection ended before the blank line after the headers",
    "bad-content-length": "RFC 9112 6.3: not a number",
    "duplicate-content-length": "RFC 9110 8.6: the same length twice",
    "conflicting-content-length": "RFC 9112 6.3: two different lengths",
    "length-and-chunked": "RFC 9112 6.1: both Content-Length and Transfer-Encoding",
    "bad-transfer-encoding": "RFC 9112 6.3: the last coding is not chunked",
    "chunked-in-http-1.0": "RFC 9112 6.1: HTTP/1.0 has no Transfer-Encoding",
    "length-without-body": "RFC 9110 8.6, RFC 9112 6.1: body framing on a status that has no body",
    "bad-chunk-size": "RFC 9112 7.1: not a hexadecimal number",
    "bad-chunk-end": "RFC 9112 7.1: chunk data not followed by CRLF",
    "bad-trailer": "RFC 9112 7.1.2: a trailer line that is no field line",
    "missing-last-chunk": "RFC 9112 8: the connection ended before the chunk of size 0 and the blank line after it",
    "short-body": "RFC 9112 8: fewer bytes than Content-Length promised",
    "surplus": "bytes after the end of the response, which nobody asked for",
    "h11": "the h11 library refuses these bytes",
}
"""Every kind of problem, and the rule it breaks."""

STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-5][0-9]{2} [\t\x20-\x7e\x80-\xff]*")
STATUS_LIKE = re.compile(rb"[ \t]*HTTP/([0-9.]+)[ \t]+([0-9]{3})(?![0-9])[ \t]?(.*)", re.IGNORECASE | re.DOTALL)
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(;.*)?", re.DOTALL)
PLAIN_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
HEAD_END = re.compile(rb"\n\r?\n")
LONGEST_LINE = 65536
SWITCHING_PROTOCOLS = 101
DECODED_AT_MOST = 1 << 26


@dataclass(frozen=True)
class FramingProblem:
    """One way in which the bytes break HTTP/1.1. ``kind`` is a key of ``PROBLEMS``; ``offset`` counts in the raw bytes."""

    offset: int
    kind: str
    text: str


@dataclass(frozen=True)
class FramedChunk:
    """Body bytes that stand together: the data of one chunk, or a whole unchunked body. ``raw_offset`` is the data's first byte."""

    raw_offset: int
    body_offset: int
    size: int
    extension: str = ""


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


@dataclass(frozen=True)
class Response:
    """The final response as read from its bytes. ``arrivals``: raw offset after each ``recv``, and its monotonic ns.

    ``interim``: the statuses of 1xx responses before it. ``delimiter``: what says where the body ends.
    ``complete``: it came that far; a close-delimited body always did once the connection ended.
    """

    version: str
    status: int
    reason: str
    headers: Headers
    body: bytes
    chunks: tuple[FramedChunk, ...]
    trailers: Headers
    interim: tuple[int, ...]
    delimiter: Delimiter
    complete: bool
    problems: tuple[FramingProblem, ...]
    arrivals: tuple[tuple[int, int], ...]

    def raw_offset(self, body_offset: int) -> int:
        """Where that byte of the body stands among the raw bytes; ``IndexError`` beyond the body."""
        if not 0 <= body_offset < len(self.body):
            raise IndexError(f"byte {body_offset} of a body of {len(self.body)}")
        chunk = self.chunks[bisect_right(self.chunks, body_offset, key=lambda chunk: chunk.body_offset) - 1]
        return chunk.raw_offset + body_offset - chunk.body_offset

    def arrived_ns(self, content_offset: int) -> int:
        """When that byte of the content could be read first, on the monotonic clock; ``IndexError`` beyond it."""
        at = content_offset
        if self.coding is not None:
            if not 0 <= at < len(self.content):
                raise IndexError(f"byte {at} of a content of {len(self.content)}")
            at = self._decoded[1][bisect_right(self._decoded[1], at, key=lambda mark: mark[0])][1]
        return self.arrivals[bisect_right(self.arrivals, self.raw_offset(at), key=lambda mark: mark[0])][1]

    @property
    def coding(self) -> str | None:
        """The content coding, in lower case; ``None`` for none or ``identity``."""
        values = ",".join(value for name, value in self.headers if name.lower() == "content-encoding").lower()
        codings = [word for word in (part.strip(" \t") for part in values.split(",")) if word not in ("", "identity")]
        return ", ".join(codings) or None

    @property
    def content(self) -> bytes:
        """The body with ``gzip`` or ``deflate`` taken off (as far as it could be decoded), otherwise the body itself."""
        return self.body if self.coding is None else self._decoded[0]

    @cached_property
    def _decoded(self) -> tuple[bytes, tuple[tuple[int, int], ...]]:
        """The content, and for each chunk: content offset after it, body offset of its last byte."""
        wbits = {"gzip": 31, "x-gzip": 31, "deflate": 15}.get(self.coding or "")
        if wbits == 15 and self.body[:1] and self.body[0] & 0x0F != 8:
            wbits = -15
        if wbits is None:
            return self.body, tuple((c.body_offset + c.size, c.body_offset + c.size - 1) for c in self.chunks)
        decoder, out, marks = zlib.decompressobj(wbits), bytearray(), []
        for chunk in self.chunks:
            try:
                data = self.body[chunk.body_offset : chunk.body_offset + chunk.size]
                out += decoder.decompress(data, DECODED_AT_MOST - len(out))
            except zlib.error:
                break
            marks.append((len(out), chunk.body_offset + chunk.size - 1))
            if len(out) >= DECODED_AT_MOST:
                break
        return bytes(out), tuple(marks)


class Framer:
    """Finds the end of one response while it arrives. Cheap: it looks at lines of the framing only and keeps no body.

    ``complete``: the response ended where it said. ``broken``: why its end can no longer be found. ``surplus``: bytes after
    the end. ``keep_alive``: a second request may follow on this connection.
    """

    def __init__(self, method: str = "GET") -> None:
        self.complete = False
        self.broken = ""
        self.surplus = 0
        self.keep_alive = False
        self.status: int | None = None
        self._method = method
        self._rest = b""
        self._skip = 0
        self._state: Literal["head", "size", "data", "data-end", "trailer", "close"] = "head"

    def feed(self, data: bytes) -> bool:
        """``True`` when there is nothing left to wait for: complete, or broken beyond repair."""
        if self.complete:
            self.surplus += len(data)
        at, waited = 0, len(self._rest)
        if waited:
            data, self._rest = self._rest + data, b""
        while at < len(data) and not (self.complete or self.broken):
            if self._skip:
                taken = min(self._skip, len(data) - at)
                self._skip, at = self._skip - taken, at + taken
                if self._state == "data" and not self._skip:
                    self._finish(len(data) - at)
            elif self._state == "close":
                return False
            else:
                at = _after_whole_chunks(data, at) if self._state == "size" else at
                at, waited = self._line(data, at, waited), 0
        return self.complete or bool(self.broken)

    def _line(self, data: bytes, at: int, waited: int) -> int:
        """Take one line of the framing (or the whole head), of which ``waited`` bytes were seen before; where the next begins."""
        if self._state == "head":
            match = HEAD_END.search(data, max(at, waited - 2))
            end = match.end() if match else 0
        else:
            end = data.find(b"\n", at) + 1
        if not end:
            self._rest = data[at:]
            if len(self._rest) > LONGEST_LINE * (16 if self._state == "head" else 1):
                self.broken = "a line of the framing without end"
            return len(data)
        line = data[at:end]
        if self._state == "head":
            self._head(line, len(data) - end)
        elif self._state == "size":
            self._size(line.rstrip(b"\r\n"))
        elif self._state == "data-end":
            self._state = "size"
            if line not in (b"\r\n", b"\n"):
                self.broken = "chunk data that is not followed by a line end"
        elif line in (b"\r\n", b"\n"):
            self._finish(len(data) - end)
        return end

    def _head(self, raw: bytes, after: int) -> None:
        head = read_head(raw, 0)
        if head is None:
            self.broken = "no HTTP/1.1 status line"
            return
        if is_interim(head.status):
            return
        self.status = head.status
        delimiter, length = delimit(head, self._method)
        connection = ",".join(head.named("connection")).lower()
        self.keep_alive = "close" not in connection and (head.version == "1.1" or "keep-alive" in connection)
        if delimiter == "none" or (delimiter == "length" and length == 0):
            self._finish(after)
        elif delimiter == "length":
            self._skip, self._state = length, "data"
        elif delimiter == "chunked":
            self._state = "size"
        else:
            self._state, self.keep_alive = "close", False

    def _size(self, line: bytes) -> None:
        match = CHUNK_SIZE.fullmatch(line)
        if match is None:
            self.broken = f"bad chunk size {line[:20]!r}"
            return
        self._skip = int(match[1], 16)
        self._state = "data-end" if self._skip else "trailer"

    def _finish(self, surplus: int) -> None:
        self.complete, self.surplus = True, surplus


def _after_whole_chunks(data: bytes, at: int) -> int:
    """Skips the chunks that are here from size to line end, which most are; the rest goes the slow way, line by line."""
    while (match := PLAIN_SIZE.match(data, at)) is not None:
        end = match.end() + int(match[1], 16)
        if end == match.end() or data[end : end + 2] != b"\r\n":
            break
        at = end + 2
    return at


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


def parse(raw: bytes, arrivals: Sequence[tuple[int, int]], *, method: str, ended: bool) -> Response | None:
    """The final response among these bytes, with all that is wrong with them; ``None`` if no status line arrived.

    ``arrivals``: the raw offset after each ``recv`` and its time in ns. ``ended``: the target closed the connection, so what
    is missing will not come; otherwise an unfinished response is no problem of its own.
    """
    at, interim, problems = 0, [], list[FramingProblem]()
    while True:
        head = read_head(raw, at)
        if head is None:
            return None
        problems += [p for p in head.problems if ended or p.kind != "incomplete-head"]
        if not is_interim(head.status) or head.end == len(raw):
            break
        interim.append(head.status)
        at = head.end
    delimiter, length = delimit(head, method)
    problems += _contradictions(head, at, method)
    reading = _Body(raw, head.end, ended, problems)
    known = {"length": length, "none": 0}.get(delimiter)
    complete = reading.chunked() if delimiter == "chunked" else reading.plain(known)
    end = reading.at
    if complete and end < len(raw):
        problems.append(
            FramingProblem(end, "surplus", f"{len(raw) - end} bytes after the end: {raw[end : end + 40]!r}")
        )
    problems += _second_opinion(raw, method, ended)
    return Response(
        head.version,
        head.status,
        head.reason,
        head.headers,
        b"".join(raw[c.raw_offset : c.raw_offset + c.size] for c in reading.chunks),
        tuple(reading.chunks),
        tuple(reading.trailers),
        tuple(interim),
        delimiter,
        complete and not any(problem.kind == "incomplete-head" for problem in head.problems),
        tuple(problems),
        tuple(arrivals),
    )


def _contradictions(head: Head, at: int, method: str) -> list[FramingProblem]:
    """What the headers say about the body and must not."""
    found: list[tuple[str, str]] = []
    codings, values = head.named("transfer-encoding"), head.named("content-length")
    lengths = [part.strip(" \t") for value in values for part in value.split(",")]
    if any(not (length.isascii() and length.isdigit() and len(length) < 19) for length in lengths):
        found.append(("bad-content-length", f"Content-Length: {', '.join(lengths)}"))
    if len(lengths) > 1:
        kind = "duplicate-content-length" if len(set(lengths)) == 1 else "conflicting-content-length"
        found.append((kind, f"Content-Length: {', '.join(lengths)}"))
    if codings and lengths:
        found.append(("length-and-chunked", f"Content-Length: {lengths[0]} and Transfer-Encoding: {codings[0]}"))
    if codings and ",".join(codings).lower().split(",")[-1].strip(" \t") != "chunked":
        found.append(("bad-transfer-encoding", f"Transfer-Encoding: {', '.join(codings)}"))
    if codings and head.version == "1.0":
        found.append(("chunked-in-http-1.0", f"Transfer-Encoding: {codings[0]} in HTTP/1.0"))
    if (head.status == 204 or head.status < 200) and (codings or lengths) and method != "HEAD":
        found.append(("length-without-body", f"a {head.status} with Content-Length or Transfer-Encoding"))
    return [FramingProblem(at, kind, text) for kind, text in found]


class _Body:
    """Reads one body off the raw bytes. The two ways to do it say whether the body is complete; ``at`` is then its end."""

    def __init__(self, raw: bytes, at: int, ended: bool, problems: list[FramingProblem]) -> None:
        self.raw, self.at, self.ended, self.problems = raw, at, ended, problems
        self.chunks: list[FramedChunk] = []
        self.trailers: list[tuple[str, str]] = []
        self.size = self.line_at = 0

    def plain(self, length: int | None) -> bool:
        size = len(self.raw) - self.at if length is None else min(length, len(self.raw) - self.at)
        if size:
            self.chunks.append(FramedChunk(self.at, 0, size))
        if length is not None and size < length and self.ended:
            self.problem(len(self.raw), "short-body", f"{size} of {length} bytes")
        self.at += size
        return self.ended if length is None else size == length

    def chunked(self) -> bool:
        while (line := self.line()) is not None:
            match = CHUNK_SIZE.fullmatch(line)
            if match is None:
                self.problem(self.line_at, "bad-chunk-size", f"chunk size {line[:40]!r}")
                return False
            size = int(match[1], 16)
            if not size:
                return self.trailer()
            if not self.chunk(size, (match[2] or b"").decode("latin-1")):
                return False
        return False

    def chunk(self, size: int, extension: str) -> bool:
        """One chunk's data and the line end after it; whether another may follow."""
        here = min(size, len(self.raw) - self.at)
        if here:
            self.chunks.append(FramedChunk(self.at, self.size, here, extension))
        self.at, self.size = self.at + here, self.size + here
        if here < size:
            self.missing(f"{here} of {size} bytes of a chunk")
            return False
        end = self.raw[self.at : self.at + 2]
        if end.startswith(b"\n"):
            self.bare_lf(self.at)
            self.at += 1
        elif end == b"\r\n":
            self.at += 2
        elif b"\r\n".startswith(end):
            self.missing("the end of a chunk")
            return False
        else:
            self.problem(self.at, "bad-chunk-end", f"{end!r} after a chunk of {size} bytes")
            return False
        return True

    def trailer(self) -> bool:
        while (line := self.line()) is not None:
            if not line:
                return True
            match = FIELD_LINE.fullmatch(line)
            if match is None:
                self.problem(self.line_at, "bad-trailer", f"trailer {line[:40]!r}")
            else:
                self.trailers.append((match[1].decode(), match[2].decode("latin-1")))
        return False

    def line(self) -> bytes | None:
        """The next line of the framing without its end; ``None`` (and a problem) if the bytes stop before that."""
        end = self.raw.find(b"\n", self.at)
        if end < 0:
            self.missing("the last chunk")
            return None
        line, self.line_at, self.at = self.raw[self.at : end], self.at, end + 1
        if not line.endswith(b"\r"):
            self.bare_lf(end)
        return line.removesuffix(b"\r")

    def missing(self, what: str) -> None:
        if self.ended:
            self.problem(len(self.raw), "missing-last-chunk", f"the connection ended inside {what}")

    def bare_lf(self, at: int) -> None:
        if not any(problem.kind == "bare-lf" for problem in self.problems):
            self.problem(at, "bare-lf", "a line of the chunk framing ends in LF without CR")

    def problem(self, offset: int, kind: str, text: str) -> None:
        self.problems.append(FramingProblem(offset, kind, text))


def _second_opinion(raw: bytes, method: str, ended: bool) -> list[FramingProblem]:
    """What h11 thinks of the same bytes."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_LINE * 16)
    try:
        connection.send(h11.Request(method=method, target="/", headers=[("Host", "h11")]))
        connection.send(h11.EndOfMessage())
    except h11.LocalProtocolError:
        return []
    try:
        connection.receive_data(raw)
        waiting = False
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA and ended and not waiting:
                connection.receive_data(b"")
                waiting = True
            elif event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return []
    except h11.RemoteProtocolError as error:
        return [FramingProblem(0, "h11", str(error))]
