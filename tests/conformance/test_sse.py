"""The SSE reader against golden bytes, every way of cutting them, and an independent reading of the standard."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproof.conformance.sse import Reader, read
from chatproof.conformance.sse_events import SLIPS, Stream
from chatproof.spec import Vector, vectors

VECTORS = [vector for vector in vectors("web") if vector.kind == "sse"]


def fed(parts: Iterable[bytes]) -> Stream:
    reader = Reader()
    events = [event for part in parts for event in reader.feed(part)]
    slips = reader.close()
    return Stream(tuple(events), tuple(slips), reader.lines, reader.retry)


def cut(data: bytes, at: Iterable[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(min(i, len(data)) for i in at)})
    return [data[a:b] for a, b in pairwise(edges)]


def plain(stream: Stream) -> dict[str, Any]:
    events = [{"type": event.type, "data": event.data, "id": event.id} for event in stream.events]
    return {"events": events, "retry": stream.retry}


def by_the_standard(data: bytes) -> dict[str, Any]:
    """9.2.5 and 9.2.6 once more, as plainly as possible: whole text, no offsets, no slips."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    events: list[dict[str, str]] = []
    buffer, kind, last_id, retry = "", "", "", None
    for line in text.split("\n")[:-1]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            if buffer:
                events.append({"type": kind or "message", "data": buffer[:-1], "id": last_id})
            buffer, kind = "", ""
        elif field == "data":
            buffer += value + "\n"
        elif field == "event":
            kind = value
        elif field == "id" and "\0" not in value:
            last_id = value
        elif field == "retry" and value and set(value) <= set("0123456789"):
            retry = int(value)
    return {"events": events, "retry": retry}


ATOMS = [
    b"data: x\n\n", b'data: {"a": 1}\n\n', b"data", b"data:", b"data: ", b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n",
    b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xe2", b"\x80", b"\xff", b"\0", b"event: a", b"id: 1", b"id:", b"retry: 5",
    b"retry: x", b"Data: 1", b"\x0b", b"\xc2\x85", b"z", b": hb", b"\xc3\xa9", b"\xf0\x9f\x98\x80",
]  # fmt: skip
STREAMS = st.lists(st.sampled_from(ATOMS), max_size=16).map(b"".join) | st.binary(max_size=40)
CUTS = st.lists(st.integers(0, 120), max_size=12)


def test_there_are_vectors() -> None:
    assert len(VECTORS) >= 20


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.id)
def test_vector(vector: Vector) -> None:
    whole = read(vector.data)
    assert plain(whole) == vector.means
    assert fed(vector.data[i : i + 1] for i in range(len(vector.data))) == whole
    if vector.chunks is not None:
        assert fed(vector.chunks) == whole


@given(st.sampled_from(VECTORS), CUTS)
def test_vectors_do_not_depend_on_chunking(vector: Vector, at: list[int]) -> None:
    assert fed(cut(vector.data, at)) == read(vector.data)


@given(STREAMS, CUTS)
def test_nothing_depends_on_chunking(data: bytes, at: list[int]) -> None:
    assert fed(cut(data, at)) == read(data)


@given(STREAMS)
def test_events_are_those_of_the_standard(data: bytes) -> None:
    assert plain(read(data)) == by_the_standard(data)


@given(STREAMS)
def test_offsets_point_at_what_they_say(data: bytes) -> None:
    stream = read(data)
    for event in stream.events:
        assert "\n".join(data[a:b].decode("utf-8", "replace") for a, b in event.data_lines) == event.data
        assert data[event.end - 1 : event.end] in (b"\r", b"\n")
    assert all(0 <= slip.offset < len(data) for slip in stream.slips)
    assert list(stream.slips) == sorted(stream.slips)


CLEAN = b'data: {"type": "token", "content": "Our"}\n\ndata: {"type": "done"}\n\n'

EXAMPLES: dict[str, tuple[bytes, int]] = {
    "bom-at-start": (b"\xef\xbb\xbfdata: x\n\n", 0),
    "bom-inside": (b"data: x\n\n\xef\xbb\xbfdata: y\ndata: z\n\n", 9),
    "bad-utf8": (b"data: a\xffb\n\n", 7),
    "cr-line-end": (b"data: x\r\r", 7),
    "crlf-line-end": (b"data: x\r\n\r\n", 7),
    "mixed-line-ends": (b"data: x\n\ndata: y\r\n\r\n", 16),
    "unknown-field": (b"data: x\nfoo: y\n\n", 8),
    "field-name-case": (b"data: x\nData: y\n\n", 8),
    "space-before-colon": (b"data: x\ndata : y\n\n", 8),
    "no-space-after-colon": (b"data:x\n\n", 0),
    "extra-space-after-colon": (b"data:  x\n\n", 0),
    "no-colon": (b"data: x\ndata\n\n", 8),
    "multiple-data-lines": (b"data: x\ndata: y\n\n", 14),
    "empty-data": (b"data: x\n\ndata:\n\n", 9),
    "block-without-data": (b"data: x\n\nevent: a\n\n", 9),
    "settings-alone": (b"data: x\n\nid: 1\nretry: 3000\n\n", 9),
    "event-name": (b"event: ping\ndata: x\n\n", 0),
    "id-with-nul": (b"id: \0\ndata: x\n\n", 0),
    "bad-retry": (b"retry: 1s\ndata: x\n\n", 0),
    "comment": (b"data: x\n\n: heartbeat\n\n", 9),
    "unterminated-event": (b"data: x\n\ndata: y\n", 9),
    "unterminated-line": (b"data: x\n\n: y", 9),
    "raw-separator": ("data: a\u2028b\n\n".encode(), 7),
    "nul": (b"data: a\0b\n\n", 7),
}


def test_every_kind_of_slip_has_an_example() -> None:
    assert EXAMPLES.keys() == SLIPS.keys()


@pytest.mark.parametrize("kind", SLIPS)
def test_slip_is_noticed_where_it_is(kind: str) -> None:
    data, offset = EXAMPLES[kind]
    assert [slip.offset for slip in read(data).slips_of(kind)] == [offset]


def test_a_clean_stream_has_no_slips() -> None:
    assert read(CLEAN).slips == ()
    assert len(read(CLEAN).events) == 2


@pytest.mark.parametrize(
    ("block", "kind"),
    [(b"retry: 1\n: why\n", "settings-alone"), (b"id\n", "settings-alone"), (b"id: 1\nevent: a\n", "block-without-data"),
     (b"id: 1\nData: x\n", "block-without-data"), (b"foo: x\n", "block-without-data")],
)  # fmt: skip
def test_settings_alone_are_no_event_that_went_wrong(block: bytes, kind: str) -> None:
    stream = read(b"event: a\n\n" + block + b"\ndata: x\n\n")
    found = [(slip.kind, slip.offset) for slip in stream.slips_of("settings-alone", "block-without-data")]
    assert found == [("block-without-data", 0), (kind, 10)]


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_every_separator_of_str_splitlines_is_noticed(separator: str) -> None:
    stream = read(f"data: {separator}\n\n".encode())
    assert [event.data for event in stream.events] == [separator]
    assert [slip.kind for slip in stream.slips] == ["raw-separator"]


def test_a_space_before_the_name_is_the_same_slip() -> None:
    assert [slip.kind for slip in read(b"data: x\n data: y\n\n").slips] == ["space-before-colon"]


def test_samples_without_blank_lines_become_one_event() -> None:
    stream = read(b'data: {"chunk": "Hello"}\ndata: {"chunk": "?"}\ndata: [DONE]\n\n')
    assert len(stream.events) == 1
    assert len(stream.events[0].data_lines) == 3


def test_dispatch_offset_of_crlf_is_the_cr() -> None:
    (event,) = read(b"data: x\r\n\r\n").events
    assert (event.start, event.end) == (0, 10)


def test_id_persists_and_resets() -> None:
    stream = read(b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n")
    assert [event.id for event in stream.events] == ["1", "1", ""]


def test_a_closed_reader_refuses_more() -> None:
    reader = Reader()
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.feed(b"data")


def test_unknown_kind_is_our_mistake() -> None:
    with pytest.raises(KeyError, match="no-such-kind"):
        read(CLEAN).slips_of("no-such-kind")


def test_one_long_line_in_single_bytes() -> None:
    reader = Reader()
    for _ in range(20_000):
        reader.feed(b"x")
    assert reader.feed(b"\n\n") == []
    assert [slip.kind for slip in reader.close()] == ["block-without-data", "unknown-field"]
