"""A response as read from its bytes: headers as sent, chunks where they stood, what arrived when, and what was wrong."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

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
