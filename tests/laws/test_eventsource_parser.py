"""Law 3 again, against a reader by others: npm's eventsource-parser makes the same events of any stream, however ours was cut.

Where it deviates from WHATWG HTML 9.2.5 and 9.2.6, the case is named here, with both results: should it be mended one day,
the row fails and goes. To run these, node and ``npm ci --prefix tests/laws/eventsource``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproof.conformance.sse import Reader
from chatproof.conformance.sse_events import Stream
from chatproof.spec import Vector, vectors

from .test_chunking import CALM, PLACES, cut

HERE = Path(__file__).parent / "eventsource"
pytestmark = pytest.mark.slow


class Told(NamedTuple):
    """What the other parser dispatched: type, data, and the id if the block named one."""

    events: list[tuple[str, str, str | None]]
    retry: int | None


Parse = Callable[..., Told]


@pytest.fixture(scope="module")
def parse() -> Iterator[Parse]:
    """The other parser, in one process for all examples."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if not (HERE / "node_modules" / "eventsource-parser").is_dir():
        pytest.skip("eventsource-parser is not installed: npm ci --prefix tests/laws/eventsource")
    with subprocess.Popen([node, "read.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given, told = process.stdin, process.stdout

        def ask(*parts: bytes, end: bool = True) -> Told:
            asked = {"parts": [b64encode(part).decode() for part in parts], "end": end}
            given.write(json.dumps(asked).encode() + b"\n")
            given.flush()
            answer: dict[str, Any] = json.loads(told.readline())
            return Told([(kind, data, id) for kind, data, id in answer["events"]], answer["retry"])

        yield ask


def ours(parts: Sequence[bytes]) -> Stream:
    reader = Reader()
    events = [event for part in parts for event in reader.feed(part)]
    slips = reader.close()
    return Stream(tuple(events), tuple(slips), reader.lines, reader.retry)


def assert_same(stream: Stream, told: Told) -> None:
    """The same events and retry; and the same ids, but for those of blocks without data, which the parser forgets."""
    assert [(event.type, event.data) for event in stream.events] == [(kind, data) for kind, data, _ in told.events]
    assert stream.retry == told.retry
    forgotten, last = bool(stream.slips_of("block-without-data", "settings-alone")), ""
    for event, (_, _, id) in zip(stream.events, told.events, strict=True):
        assert id == event.id or (id is None and (forgotten or event.id == last))
        last = event.id


NAMES = [b"data"] * 6 + [
    b"event",
    b"id",
    b"retry",
    b"",
    b"Data",
    b" data",
    b"data ",
    b"foo",
    b"\xef\xbb\xbfdata",
    b"dat",
]
SEPARATORS = [b": ", b":", b":  ", b":\t", b""]
PIECES = [
    b"x", b" ", b":", b"42", b"007", b"-1", b"5.0", b"{}", b"\0", b"\t", b"\x0b", b"\x0c", b"\x1c", b"\x7f",
    b"\xc2\x85", b"\xc2\xa0", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xef\xbb\xbf", b"\xef\xbf\xbd", b"\xc3\xa9",
    b"\xe4\xbd\xa0", b"\xf0\x9f\x8c\x8d", b"\xd9\xa3", b"\xef\xbc\x97",
    b"\xff", b"\x80", b"\xc0\xaf", b"\xe2\x80", b"\xed\xa0\x80", b"\xf0\x9f\x8c", b"\xf4\x90\x80\x80",
]  # fmt: skip
"""Digits of other scripts, the separators of ``str.splitlines``, byte order marks, and all ways not to be UTF-8."""
ENDS = [b"\n", b"\r\n", b"\r"]

joined = b"".join
values = st.lists(st.sampled_from(PIECES), max_size=4).map(joined)
lines = st.tuples(st.sampled_from(NAMES), st.sampled_from(SEPARATORS), values).map(joined)
one_end = st.sampled_from(ENDS)
blocks = st.lists(st.tuples(lines | st.just(b""), one_end).map(joined), max_size=5).map(joined)
usual = st.tuples(one_end, st.lists(st.lists(lines, max_size=3), max_size=6)).map(
    lambda made: joined(made[0].join((*block, b"", b"")) for block in made[1])
)
streams = st.tuples(
    st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf"]),
    st.lists(usual | st.tuples(blocks, one_end).map(joined), max_size=4).map(joined),
    st.just(b"") | lines,
).map(joined)
"""Maybe a mark, blocks with one kind of line end or with all of them, maybe an end in the middle of a line."""
raw = st.lists(st.sampled_from([*ENDS, b"data", b": ", b":", b"id", *PIECES]), max_size=24).map(joined)


def test_any_stream_however_cut_is_read_as_others_read_it(parse: Parse) -> None:
    @settings(CALM, max_examples=600)
    @given(streams | raw, PLACES)
    def holds(data: bytes, at: list[int]) -> None:
        stream = ours(cut(data, at))
        assert stream == ours([data])
        assert_same(stream, parse(data))

    holds()


CORNERS: dict[str, tuple[str, bytes, list[tuple[str, str, str]], int | None]] = {
    "a lone CR ends a line": ("9.2.5 end-of-line", b"data: a\r\rdata: b\r\r", [("message", "a", ""), ("message", "b", "")], None),
    "LF CR is two line ends": ("9.2.5 end-of-line", b"data: a\n\rdata: b\n\r", [("message", "a", ""), ("message", "b", "")], None),
    "CR CR LF is two line ends": ("9.2.5 end-of-line", b"data: a\r\r\ndata: b\n\n", [("message", "a", ""), ("message", "b", "")], None),
    "one mark is taken off": ("9.2.5 bom", b"\xef\xbb\xbfdata: a\n\n", [("message", "a", "")], None),
    "a second mark is a part of the name": ("9.2.5 bom", b"\xef\xbb\xbf\xef\xbb\xbfdata: a\ndata: b\n\n", [("message", "b", "")], None),
    "a mark later is a part of the name": ("9.2.5 bom", b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [("message", "a", "")], None),
    "what is not UTF-8 is replaced": ("9.2.5 decode", b"data: \xff\xe2\x80\n\n", [("message", "\ufffd\ufffd", "")], None),
    "no other line end than CR and LF": ("9.2.5 end-of-line", "data: \x0b\x0c\x85\u2028\u2029\n\n".encode(), [("message", "\x0b\x0c\x85\u2028\u2029", "")], None),
    "an end without a blank line loses the event": ("9.2.6 end of file", b"data: a\n\ndata: b\n", [("message", "a", "")], None),
    "an end inside a line loses it": ("9.2.6 end of file", b"data: a\n\ndata: b", [("message", "a", "")], None),
    "data lines are joined by LF": ("9.2.6 field data", b"data: a\ndata\ndata: b\n\n", [("message", "a\n\nb", "")], None),
    "an empty data line is an event": ("9.2.6 field data", b"data\n\ndata:\n\n", [("message", "", ""), ("message", "", "")], None),
    "one space is taken off": ("9.2.6 colon", b"data:  a \n\ndata:\ta\n\n", [("message", " a ", ""), ("message", "\ta", "")], None),
    "names are compared literally": ("9.2.6 process the field", b"Data: a\n data: b\ndata : c\ndata: d\n\n", [("message", "d", "")], None),
    "a type is for one event": ("9.2.6 dispatch", b"event: a\ndata: b\n\ndata: c\n\n", [("a", "b", ""), ("message", "c", "")], None),
    "a type without data is forgotten": ("9.2.6 dispatch", b"event: a\n\ndata: b\n\n", [("message", "b", "")], None),
    "an empty type is message": ("9.2.6 dispatch", b"event: a\nevent\ndata: b\n\n", [("message", "b", "")], None),
    "an id stays": ("9.2.6 last event ID", b"id: 1\ndata: a\n\ndata: b\n\n", [("message", "a", "1"), ("message", "b", "1")], None),
    "an empty id takes it back": ("9.2.6 field id", b"id: 1\ndata: a\n\nid\ndata: b\n\n", [("message", "a", "1"), ("message", "b", "")], None),
    "an id with NUL is ignored": ("9.2.6 field id", b"id: 1\nid: 2\0\ndata: a\n\n", [("message", "a", "1")], None),
    "NUL elsewhere is data": ("9.2.6 field data", b"data: a\0b\n\n", [("message", "a\0b", "")], None),
    "retry in ASCII digits": ("9.2.6 field retry", b"retry: 0042\n\n", [], 42),
    "retry in other digits": ("9.2.6 field retry", "retry: 7\nretry: \u0663\nretry: -1\nretry\nretry:  8\n".encode(), [], 7),
    "a comment within an event": ("9.2.6 comment", b"data: a\n: b\n:data: c\ndata: d\n\n", [("message", "a\nd", "")], None),
}  # fmt: skip
"""Clause, bytes, the events as type, data and last id, and the retry."""


@pytest.mark.parametrize("name", CORNERS)
def test_a_corner_of_the_standard(name: str, parse: Parse) -> None:
    _, data, events, retry = CORNERS[name]
    for parts in ([data], [data[at : at + 1] for at in range(len(data))]):
        stream = ours(parts)
        assert [(event.type, event.data, event.id) for event in stream.events] == events
        assert stream.retry == retry
    assert_same(ours([data]), parse(data))


@pytest.mark.parametrize("vector", [v for v in vectors("web") if v.kind == "sse"], ids=lambda vector: vector.id)
def test_a_golden_stream_is_read_as_others_read_it(vector: Vector, parse: Parse) -> None:
    assert_same(ours([vector.data]), parse(vector.data))


class Deviation(NamedTuple):
    """Where the other parser leaves the standard: the clause, what is fed, what the standard makes of it, what it makes."""

    clause: str
    parts: list[bytes]
    standard: list[tuple[str, str, str]]
    theirs: list[tuple[str, str, str | None]]


DEVIATIONS = {
    "a CR that ends the stream": Deviation(
        "9.2.5 end-of-line: CR ends a line, whatever follows", [b"data: a\r\r"], [("message", "a", "")], []
    ),
    "a CR that ends a read, and no line end after it": Deviation(
        "9.2.5 end-of-line", [b"data: a\r\n\r", b"data: b"], [("message", "a", "")], []
    ),
    "an id in a block without data": Deviation(
        "9.2.6 dispatch: the last event ID is set before empty data ends the matter",
        [b"id: 1\n\ndata: a\n\n"],
        [("message", "a", "1")],
        [("message", "a", None)],
    ),
    "text that looks like a mark read as Latin-1": Deviation(
        "9.2.5 bom: only U+FEFF is one", ["\xef\xbb\xbfdata: a\n\n".encode()], [], [("message", "a", None)]
    ),
}


@pytest.mark.parametrize("name", DEVIATIONS)
def test_where_the_other_parser_leaves_the_standard(name: str, parse: Parse) -> None:
    row = DEVIATIONS[name]
    assert [(event.type, event.data, event.id) for event in ours(row.parts).events] == row.standard
    assert parse(*row.parts, end=False).events == row.theirs
