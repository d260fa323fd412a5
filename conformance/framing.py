"""HTTP/1.1 response framing from raw bytes (RFC 9112), in two depths and without I/O.

``Framer`` runs while bytes arrive and only answers "is that all?". ``parse`` runs later, on everything that was recorded:
it keeps what libraries throw away (case, order and duplicates of headers, chunk boundaries, what came when) and names each
way in which the bytes break the rules, h11 being the second opinion.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from .head import FIELD_LINE, HEAD_END, Head, delimit, is_interim, read_head
from .outline import Outline, outline
from .response import FramedChunk, FramingProblem, Response
from .second_opinion import WORDS, doubts, first_chunks, opinion

HEX, ODD_SIZE = b"0123456789ABCDEFabcdef", b"00000000"
USUAL_SIZES = {spelt % size: size for spelt in (b"%X", b"%x") for size in range(1024)}
PLAIN_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(;.*)?", re.DOTALL)
LONGEST_LINE = 65536


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
        at, waited = 0, len(self._rest)
        if self.complete:
            self.surplus += len(data)
        elif self._state == "head" and not waited:
            at = self._usual_head(data)
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

    def _usual_head(self, data: bytes) -> int:
        """Where the body begins, if a whole head of the usual kind is here; 0 if it takes a closer look."""
        end = data.find(b"\r\n\r\n") + 4
        said = outline(data[:end], self._method)
        if said is None:
            return 0
        self._body(said, len(data) - end)
        return end

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
            said = self._closer(line)
            if said is not None:
                self._body(said, len(data) - end)
        elif self._state == "size":
            self._size(line.rstrip(b"\r\n"))
        elif self._state == "data-end":
            self._state = "size"
            if line not in (b"\r\n", b"\n"):
                self.broken = "chunk data that is not followed by a line end"
        elif line in (b"\r\n", b"\n"):
            self._finish(len(data) - end)
        return end

    def _body(self, said: Outline, after: int) -> None:
        """The head is read, and so many bytes came after it."""
        self.status, delimiter, length, self.keep_alive, _ = said
        if delimiter == "none" or (delimiter == "length" and length == 0):
            self._finish(after)
        elif delimiter == "length":
            self._skip, self._state = length, "data"
        elif delimiter == "chunked":
            self._state = "size"
        else:
            self._state, self.keep_alive = "close", False

    def _closer(self, raw: bytes) -> Outline | None:
        """The outline of a head that is not plain; nothing if it is interim, or none at all."""
        head = read_head(raw, 0)
        if head is None:
            self.broken = "no HTTP/1.1 status line"
            return None
        if is_interim(head.status):
            return None
        connection = ",".join(head.named("connection")).lower()
        keep_alive = "close" not in connection and (head.version == "1.1" or "keep-alive" in connection)
        return Outline(head.status, *delimit(head, self._method), keep_alive)

    def _size(self, line: bytes) -> None:
        match = CHUNK_SIZE.fullmatch(line)
        if match is None:
            self.broken = f"bad chunk size {line[:20]!r}"
            return
        self._skip = int(match[1], 16)
        self._state = "data-end" if self._skip else "trailer"

    def _finish(self, surplus: int) -> None:
        self.complete, self.surplus = True, surplus


def whole_chunks(data: bytes, at: int) -> list[bytes] | None:
    """The data of the chunks from there to the end, if they are all whole and plain; that of a last chunk is empty.

    Cut at line ends, sizes and data take turns, and where each size is that of the data after it they can be read in no other way.
    ``None`` where they are not: a part is missing, a line end stands in the data, an extension, a trailer, a surplus.
    """
    parts = data[at:].split(b"\r\n")
    sizes, found = parts[:-1:2], parts[1::2]
    if len(parts) % 2 == 0 or parts[-1] or b"" in found[:-1]:
        return None
    lengths = list(map(len, found))
    if list(map(USUAL_SIZES.get, sizes)) == lengths:
        return found
    digits = b"".join(sizes)
    if b"" in sizes or digits.translate(None, HEX) or ODD_SIZE in digits:
        return None
    return found if [int(size, 16) for size in sizes] == lengths else None


def _after_whole_chunks(data: bytes, at: int) -> int:
    """Skips the chunks that are here from size to line end, which most are; the last and the rest go the slow way, line by line."""
    if data.endswith(b"\r\n") and (chunks := whole_chunks(data, at)) is not None:
        last = data.rfind(b"\r\n", at, -4)
        return len(data) if not chunks or chunks[-1] else at if last < 0 else last + 2
    while (match := PLAIN_SIZE.match(data, at)) is not None:
        end = match.end() + int(match[1], 16)
        if end == match.end() or data[end : end + 2] != b"\r\n":
            break
        at = end + 2
    return at


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
    if problems:
        problems += opinion(raw, method, ended)
    else:
        alike = (WORDS.sub(b"a", raw[: head.end]), head.status, delimiter, complete, method, ended)
        problems += doubts(alike, first_chunks(raw, reading.chunks), method, ended)
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
