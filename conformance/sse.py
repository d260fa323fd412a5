"""Server-Sent Events read by the standard alone: WHATWG HTML 9.2.5 (parsing) and 9.2.6 (interpretation). Bytes in, no I/O.

The reader dispatches exactly what a browser would, and keeps a record of what it forgave on the way (``SLIPS``), with
byte offsets: the standard is generous, the clients that people write are not. Nothing here depends on how the bytes
were cut into reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import repeat

from .sse_events import Slip, SseEvent, Stream

BOM = b"\xef\xbb\xbf"
SETTINGS = frozenset({"id", "retry"})
FIELDS = SETTINGS | {"data", "event"}
LINE_END = re.compile(rb"(\r\n|\r|\n)")
ASCII_CONTROLS = b"\x00\x0b\x0c\x1c\x1d\x1e"
SEPARATOR = re.compile("[\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
RETRY_DIGITS = re.compile(r"0*[0-9]{1,18}")


def _line_end(buffer: bytes) -> bytes:
    """The line end that all of these bytes share, LF or CRLF; nothing if they differ or the last one may be half."""
    returns = buffer.count(b"\r") if b"\r" in buffer else 0
    if not returns:
        return b"\n"
    return b"\r\n" if returns == buffer.count(b"\n") == buffer.count(b"\r\n") else b""


def _plain(buffer: bytes) -> bool:
    """Whether no character among these bytes needs a second look."""
    if len(buffer.translate(None, ASCII_CONTROLS)) != len(buffer):
        return False
    return buffer.isascii() or not (b"\xc2\x85" in buffer or b"\xe2\x80\xa8" in buffer or b"\xe2\x80\xa9" in buffer)


def _after_block(buffer: bytes, line_end: bytes) -> tuple[bytes, bytes]:
    """Divide after the first blank line, for a block that began in an earlier read."""
    if buffer.startswith(line_end):
        return line_end, buffer[len(line_end) :]
    head, blank, rest = buffer.partition(line_end * 2)
    return head + blank, rest


def read(body: bytes) -> Stream:
    """The whole body as a stream."""
    reader = Reader()
    events = reader.feed(body)
    slips = reader.close()
    return Stream(tuple(events), tuple(slips), reader.lines, reader.retry)


class Reader:
    """Incremental: ``feed`` as bytes arrive, ``close`` at the end of the body.

    ``lines``, ``retry`` and ``last_id`` are the state so far; slips are complete, and in order, only when closed.
    """

    def __init__(self) -> None:
        self.lines = 0
        self.retry: int | None = None
        self.last_id = ""
        self._at = 0
        self._parts: list[bytes] = []
        self._lone_cr: int | None = None
        self._line_ends: dict[bytes, int] = {}
        self._start: int | None = None
        self._type = ""
        self._only_settings = True
        self._values: list[str] = []
        self._spans: list[tuple[int, int]] = []
        self._slips: list[Slip] = []
        self._closed = False

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that these bytes complete; raises ``ValueError`` after ``close``."""
        if self._closed:
            raise ValueError("the reader is closed")
        if self._lone_cr is not None and data:
            data = self._after_cr(data)
        if b"\n" not in data and b"\r" not in data:
            if data:
                self._parts.append(data)
            return []
        buffer = b"".join((*self._parts, data)) if self._parts else data
        self._parts = []
        end = _line_end(buffer)
        if not end:
            return self._read_lines(*self._cut(buffer))
        if end not in self._line_ends:
            self._line_ends[end] = self._at + buffer.index(end)
        if _plain(buffer):
            return self._read_blocks(buffer, end)
        return self._read_lines(buffer.split(end), repeat(len(end)))

    def close(self) -> list[Slip]:
        """End of the body: what is pending is discarded. Every slip of the stream, by offset."""
        if self._closed:
            return self._slips
        self._closed = True
        rest = b"".join(self._parts)
        if rest:
            self._last_line(rest)
        if self._start is not None:
            self._slip(
                self._start, "unterminated-event", "the stream ended before the blank line, so the event is lost"
            )
            self._report_data_lines()
        if self._lone_cr is not None:
            self._line_ends.setdefault(b"\r", self._lone_cr)
        self._report_line_ends()
        self._slips.sort()
        return self._slips

    def _after_cr(self, data: bytes) -> bytes:
        """The last feed ended in CR; now we see whether it was half of a CRLF."""
        assert self._lone_cr is not None
        whole = data.startswith(b"\n")
        self._line_ends.setdefault(b"\r\n" if whole else b"\r", self._lone_cr)
        self._lone_cr = None
        self._at += whole
        return data[1:] if whole else data

    def _cut(self, buffer: bytes) -> tuple[list[bytes], list[int]]:
        """Lines (the last one unfinished) and the length of each line's end."""
        pieces = LINE_END.split(buffer)
        lines, ends = pieces[::2], pieces[1::2]
        at = self._at
        for line, end in zip(lines, ends, strict=False):
            at += len(line)
            if end == b"\r" and at + 1 == self._at + len(buffer):
                self._lone_cr = at
            else:
                self._line_ends.setdefault(end, at)
            at += len(end)
        return lines, [len(end) for end in ends]

    def _read_blocks(self, buffer: bytes, line_end: bytes) -> list[SseEvent]:
        """One kind of line end and nothing odd, whole blocks at a time: the usual stream, so the fast way."""
        events: list[SseEvent] = []
        blank, width = line_end * 2, len(line_end)
        if self._start is not None:
            begun, buffer = _after_block(buffer, line_end)
            events = self._read_lines(begun.split(line_end), repeat(width))
        blocks = buffer.split(blank)
        rest = blocks.pop()
        at, new, new_lines = self._at, tuple.__new__, 0
        for block in blocks:
            end = at + len(block)
            if block.startswith(b"data: ") and block[6:7] > b" " and line_end not in block:
                try:
                    data = block[6:].decode()
                except UnicodeDecodeError:
                    pass
                else:
                    events.append(new(SseEvent, ("message", data, self.last_id, at, end + width + 1, ((at + 6, end),))))
                    new_lines += 2
                    at = end + 2 * width
                    continue
            self._at = at
            events += self._read_lines((block + blank).split(line_end), repeat(width))
            at = self._at
        self._at = at
        self.lines += new_lines
        return events + self._read_lines(rest.split(line_end), repeat(width)) if rest else events

    def _read_lines(self, lines: list[bytes], widths: Iterable[int]) -> list[SseEvent]:
        """Any lines, one at a time. The last one is unfinished; ``widths`` are the lengths of the line ends."""
        events: list[SseEvent] = []
        rest = lines.pop()
        if rest:
            self._parts = [rest]
        self.lines += len(lines)
        at = self._at
        if at == 0 and lines and lines[0].startswith(BOM):
            lines[0], at = self._without_bom(lines[0]), len(BOM)
        for line, width in zip(lines, widths, strict=False):
            if line:
                self._line(line, at)
            elif self._start is not None:
                self._dispatch(events, at + 1)
            at += len(line) + width
        self._at = at
        return events

    def _dispatch(self, events: list[SseEvent], end: int) -> None:
        assert self._start is not None
        if self._values:
            self._report_data_lines()
            data = "\n".join(self._values)
            if not data:
                self._slip(self._start, "empty-data", "an event with empty data")
            events.append(SseEvent(self._type or "message", data, self.last_id, self._start, end, tuple(self._spans)))
        else:
            settings, fields = ("settings-alone", "`id` or `retry`"), ("block-without-data", "fields")
            kind, what = settings if self._only_settings else fields
            self._slip(self._start, kind, f"{what} but no data line, so no event")
        self._start, self._type, self._only_settings = None, "", True
        self._values.clear()
        self._spans.clear()

    def _line(self, line: bytes, at: int) -> None:
        """One line that is not blank: notice, then interpret."""
        text = self._decode(line, at)
        if text.startswith(":"):
            self._slip(at, "comment", f"comment {text[1:41].strip(' ')!r}")
            return
        if self._start is None:
            self._start = at
        name, colon, value = text.partition(":")
        self._only_settings = self._only_settings and name in SETTINGS
        spaces = len(value) - len(value.lstrip(" "))
        if name not in FIELDS:
            self._report_name(name, at)
            return
        if not colon:
            self._slip(at, "no-colon", f"{name!r} without a colon")
        elif spaces > 1:
            self._slip(at, "extra-space-after-colon", f"{spaces} spaces after {name + colon!r}")
        elif not spaces and value and name == "data":
            self._slip(at, "no-space-after-colon", "no space after 'data:'")
        value_at = at + len(name) + len(colon) + (spaces > 0)
        self._field(name, value[1:] if spaces else value, at, (value_at, at + len(line)))

    def _field(self, name: str, value: str, at: int, span: tuple[int, int]) -> None:
        if name == "data":
            self._values.append(value)
            self._spans.append(span)
        elif name == "event":
            self._type = value
            if value not in ("", "message"):
                self._slip(at, "event-name", f"event is named {value!r}")
        elif name == "id":
            if "\0" in value:
                self._slip(at, "id-with-nul", "an id with U+0000 in it")
            else:
                self.last_id = value
        elif RETRY_DIGITS.fullmatch(value):
            self.retry = int(value)
        else:
            self._slip(at, "bad-retry", f"retry is {value[:40]!r}, not a usable number of ASCII digits")

    def _last_line(self, rest: bytes) -> None:
        """Bytes after the last line end: discarded, but seen."""
        self.lines += 1
        at = self._at
        self._slip(at, "unterminated-line", f"the last line {rest[:40]!r} has no line end")
        if at == 0 and rest.startswith(BOM):
            rest, at = self._without_bom(rest), len(BOM)
        if rest and not self._decode(rest, at).startswith(":") and self._start is None:
            self._start = at

    def _without_bom(self, line: bytes) -> bytes:
        self._slip(0, "bom-at-start", "the stream starts with a byte order mark")
        return line[len(BOM) :]

    def _decode(self, line: bytes, at: int) -> str:
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            self._slip(at + error.start, "bad-utf8", f"byte {line[error.start]:#04x} is not UTF-8 here: {error.reason}")
            text = line.decode("utf-8", "replace")
        separator = SEPARATOR.search(text)
        if separator:
            before = line.find(separator[0].encode())
            self._slip(at + before, "raw-separator", f"raw U+{ord(separator[0]):04X} inside a line")
        if "\0" in text and not text.startswith("id:"):
            self._slip(at + line.index(0), "nul", "raw U+0000 inside a line")
        return text

    def _report_name(self, name: str, at: int) -> None:
        bare = name.strip(" \t")
        if name.startswith("\ufeff"):
            self._slip(at, "bom-inside", f"byte order mark inside the stream: the field is {name[:20]!r}")
        elif name != bare and bare in FIELDS:
            self._slip(at, "space-before-colon", f"the field is {name!r}, not {bare!r}")
        elif name.lower() in FIELDS:
            self._slip(at, "field-name-case", f"the field is {name!r}, not {name.lower()!r}")
        else:
            self._slip(at, "unknown-field", f"no such field: {name[:40]!r}")

    def _report_data_lines(self) -> None:
        if len(self._spans) > 1:
            self._slip(self._spans[1][0], "multiple-data-lines", f"{len(self._spans)} data lines in one event")

    def _report_line_ends(self) -> None:
        for end, kind in ((b"\r", "cr-line-end"), (b"\r\n", "crlf-line-end")):
            if end in self._line_ends:
                self._slip(self._line_ends[end], kind, f"lines end in {end!r}")
        if len(self._line_ends) > 1:
            second = sorted(self._line_ends.values())[1]
            self._slip(second, "mixed-line-ends", f"lines end in {' and '.join(map(repr, sorted(self._line_ends)))}")

    def _slip(self, offset: int, kind: str, text: str) -> None:
        self._slips.append(Slip(offset, kind, text))
