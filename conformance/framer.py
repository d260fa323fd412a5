"""Where one HTTP/1.1 response ends (RFC 9112 6), found while its bytes arrive and without I/O: all that a recording client has to know.

What the bytes say, and what is wrong with them, is read later, from all that was recorded (``framing``).
"""

from __future__ import annotations

import re
from typing import Literal

from .head import HEAD_END, delimit, is_interim, read_head
from .outline import Outline, outline

HEX, ODD_SIZE = b"0123456789ABCDEFabcdef", b"00000000"
USUAL_SIZES = {spelt % size: size for spelt in (b"%X", b"%x") for size in range(1024)}
PLAIN_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(;.*)?", re.DOTALL)
LONGEST_LINE = 65536


class Framer:
    """Finds the end of one response while it arrives. Cheap: it looks at lines of the framing only and keeps no body.

    ``complete``: the response ended where it said. ``broken``: why its end can no longer be found. ``surplus``: bytes after
    the end. ``keep_alive``: a second request may follow on this connection. ``chunks``: a whole body of plain chunks, if one read brought it.
    """

    def __init__(self, method: str = "GET") -> None:
        self.complete = False
        self.broken = ""
        self.surplus = 0
        self.keep_alive = False
        self.status: int | None = None
        self.chunks: list[bytes] | None = None
        self._begun = False
        self._method = method
        self._rest = b""
        self._skip = 0
        self._state: Literal["head", "size", "data", "data-end", "trailer", "close"] = "head"

    def feed(self, data: bytes) -> bool:
        """``True`` when there is nothing left to wait for: complete, or broken beyond repair."""
        at, waited, looked = 0, len(self._rest), False
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
            elif self._state == "size" and not looked:
                looked = True
                if data.endswith(b"\r\n") and (chunks := whole_chunks(data, at)) is not None:
                    return self._taken(chunks)
            else:
                at = _after_whole_chunks(data, at) if self._state == "size" else at
                at, waited, self._begun = self._line(data, at, waited), 0, True
        return self.complete or bool(self.broken)

    def _usual_head(self, data: bytes) -> int:
        """Where the body begins, if a whole head of the usual kind is here; 0 if it takes a closer look."""
        end = data.find(b"\r\n\r\n") + 4
        said = outline(data[:end], self._method)
        if said is None:
            return 0
        self._body(said, len(data) - end)
        return end

    def _taken(self, chunks: list[bytes]) -> bool:
        """A read has brought whole chunks and nothing else."""
        if chunks and not chunks[-1]:
            self.chunks = None if self._begun else chunks[:-1]
            self._finish(0)
        self._begun = True
        return self.complete

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
    """Skips the chunks that are here from size to line end, which most are; the rest goes the slow way, line by line."""
    while (match := PLAIN_SIZE.match(data, at)) is not None:
        end = match.end() + int(match[1], 16)
        if end == match.end() or data[end : end + 2] != b"\r\n":
            break
        at = end + 2
    return at
