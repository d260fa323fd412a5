"""HTTP/1.1 response framing from raw bytes (RFC 9112): reads everything that was recorded, and without I/O.

It keeps what libraries throw away (case, order and duplicates of headers, chunk boundaries, what came when) and names each
way in which the bytes break the rules, h11 being the second opinion.
"""

from __future__ import annotations

from collections.abc import Sequence

from .framer import CHUNK_SIZE
from .head import FIELD_LINE, Head, delimit, is_interim, read_head
from .response import FramedChunk, FramingProblem, Response
from .second_opinion import WORDS, doubts, first_chunks, opinion


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
