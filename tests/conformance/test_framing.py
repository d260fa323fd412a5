"""HTTP/1.1 framing: what is read, what is wrong with it, and where each byte came from."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproof.conformance.framer import Framer, whole_chunks
from chatproof.conformance.framing import parse
from chatproof.conformance.response import PROBLEMS, Response

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
JSON = OK + b"Content-Length: 2\r\n\r\n{}"
STREAM = CHUNKED + b"9\r\ndata: x\n\n\r\n5;a=b\r\n: hb\n\r\n0\r\nX-Sum: 1\r\n\r\n"


def parsed(raw: bytes, *, method: str = "GET", ended: bool = True) -> Response:
    response = parse(raw, ((len(raw), 1),), method=method, ended=ended)
    assert response is not None
    return response


def kinds(raw: bytes, *, method: str = "GET", ended: bool = True) -> set[str]:
    return {problem.kind for problem in parsed(raw, method=method, ended=ended).problems}


def test_content_length() -> None:
    response = parsed(JSON)
    assert (response.version, response.status, response.reason) == ("1.1", 200, "OK")
    assert (response.body, response.delimiter, response.complete) == (b"{}", "length", True)
    assert response.problems == ()


def test_headers_keep_order_case_and_duplicates() -> None:
    response = parsed(OK + b"X-b: 1\r\nx-A:2 \r\nX-B: \xe9\r\nContent-Length: 0\r\n\r\n")
    assert response.headers == (("X-b", "1"), ("x-A", "2"), ("X-B", "\xe9"), ("Content-Length", "0"))


def test_chunks_trailers_and_offsets() -> None:
    response = parsed(STREAM)
    assert response.body == b"data: x\n\n: hb\n"
    assert [(c.body_offset, c.size, c.extension) for c in response.chunks] == [(0, 9, ""), (9, 5, ";a=b")]
    assert response.trailers == (("X-Sum", "1"),)
    assert response.problems == ()
    for offset, byte in enumerate(response.body):
        assert STREAM[response.raw_offset(offset)] == byte
    with pytest.raises(IndexError):
        response.raw_offset(len(response.body))


def test_arrival_is_that_of_the_read_that_brought_the_byte() -> None:
    cut = STREAM.index(b": hb")
    response = parse(STREAM, ((cut, 10), (cut + 1, 20), (len(STREAM), 30)), method="GET", ended=False)
    assert response is not None
    assert [response.arrived_ns(offset) for offset in (0, 8, 9, 10, 13)] == [10, 10, 20, 30, 30]
    with pytest.raises(IndexError):
        response.arrived_ns(14)


def test_a_short_body_is_incomplete() -> None:
    assert not parsed(JSON[:-1]).complete
    assert not parsed(JSON[:-1], ended=False).complete


def test_interim_responses_are_passed_over() -> None:
    response = parsed(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + JSON)
    assert (response.interim, response.status, response.body) == ((100, 103), 200, b"{}")


@pytest.mark.parametrize(
    ("raw", "method"),
    [
        (OK + b"Content-Length: 5\r\n\r\n", "HEAD"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "POST"),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET"),
    ],
)
def test_no_body(raw: bytes, method: str) -> None:
    response = parsed(raw, method=method)
    assert (response.body, response.delimiter, response.complete, response.problems) == (b"", "none", True, ())
    assert Framer(method).feed(raw)


def test_close_delimited() -> None:
    response = parsed(b"HTTP/1.0 200 OK\r\n\r\nabc")
    assert (response.body, response.delimiter, response.complete) == (b"abc", "close", True)
    assert not parsed(b"HTTP/1.0 200 OK\r\n\r\nabc", ended=False).complete


def test_no_status_line_is_no_response() -> None:
    for raw in (b"", b"garbage\r\n\r\n", b"HTTP/1.1 20"):
        assert parse(raw, (), method="GET", ended=True) is None


EXAMPLES: dict[str, bytes] = {
    "bad-status-line": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "bad-header-line": OK + b"Content-Length : 0\r\n\r\n",
    "bad-header-value": OK + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "folded-header": OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "bare-lf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "incomplete-head": OK + b"Content-Le",
    "bad-content-length": OK + b"Content-Length: +2\r\n\r\n{}",
    "duplicate-content-length": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "conflicting-content-length": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "length-and-chunked": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad-transfer-encoding": OK + b"Transfer-Encoding: gzip\r\n\r\n",
    "chunked-in-http-1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length-without-body": b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    "bad-chunk-size": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "bad-chunk-end": CHUNKED + b"5\r\nhelloworld\r\n0\r\n\r\n",
    "bad-trailer": CHUNKED + b"0\r\nnot a field\r\n\r\n",
    "missing-last-chunk": CHUNKED + b"5\r\nhello\r\n",
    "short-body": OK + b"Content-Length: 5\r\n\r\nhel",
    "surplus": JSON + b"more",
    "h11": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
}


def test_every_kind_of_problem_has_an_example() -> None:
    assert EXAMPLES.keys() == PROBLEMS.keys()


@pytest.mark.parametrize("kind", PROBLEMS)
def test_problem_is_noticed(kind: str) -> None:
    found = kinds(EXAMPLES[kind])
    assert kind in found
    assert len(found - {"h11"}) == 1


@pytest.mark.parametrize("raw", [JSON, STREAM, b"HTTP/1.0 200 OK\r\n\r\nabc"])
def test_clean_responses_have_no_problems(raw: bytes) -> None:
    assert kinds(raw) == set()


@pytest.mark.parametrize("cut", range(len(CHUNKED), len(STREAM)))
def test_a_cut_stream_is_incomplete(cut: int) -> None:
    assert "missing-last-chunk" in kinds(STREAM[:cut])
    assert not parsed(STREAM[:cut]).complete


@pytest.mark.parametrize("cut", range(len(OK), len(STREAM)))
def test_what_we_left_is_not_the_targets_fault(cut: int) -> None:
    assert kinds(STREAM[:cut], ended=False) == set()


def test_offsets_of_problems() -> None:
    raw = CHUNKED + b"5\r\nhello\r\nzz\r\n"
    (problem,) = [p for p in parsed(raw).problems if p.kind == "bad-chunk-size"]
    assert problem.offset == raw.index(b"zz")
    (surplus,) = parsed(JSON + b"more").problems
    assert surplus.offset == len(JSON)


@pytest.mark.parametrize(
    "raw", [JSON, STREAM, b"HTTP/1.1 100 Continue\r\n\r\n" + STREAM, OK + b"Content-Length: 0\r\n\r\n"]
)
def test_framer_finds_the_end_and_not_before(raw: bytes) -> None:
    framer = Framer()
    assert [framer.feed(raw[i : i + 1]) for i in range(len(raw))] == [False] * (len(raw) - 1) + [True]
    assert framer.complete
    assert framer.keep_alive
    assert framer.feed(b"xy")
    assert framer.surplus == 2


@given(st.sampled_from([JSON, STREAM]), st.lists(st.integers(0, 150), max_size=6), st.binary(max_size=5))
def test_framer_does_not_depend_on_chunking(raw: bytes, at: list[int], surplus: bytes) -> None:
    data = raw + surplus
    edges = sorted({0, len(data), *(min(i, len(data)) for i in at)})
    framer = Framer()
    done = [framer.feed(data[a:b]) for a, b in pairwise(edges)]
    assert done[-1]
    assert framer.complete
    assert framer.surplus == len(surplus)


def test_framer_waits_for_the_close() -> None:
    framer = Framer()
    assert not framer.feed(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert not framer.feed(b"def")
    assert not framer.keep_alive


@pytest.mark.parametrize("raw", [b"nonsense\r\n\r\n", EXAMPLES["bad-chunk-size"], EXAMPLES["bad-chunk-end"]])
def test_framer_gives_up_where_the_end_cannot_be_found(raw: bytes) -> None:
    framer = Framer()
    assert framer.feed(raw)
    assert framer.broken
    assert not framer.complete


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_can_be_read(tail: bytes, ended: bool) -> None:
    for head in (b"", OK, CHUNKED, OK + b"Content-Length: 9\r\n\r\n", STREAM[:-9]):
        parse(head + tail, ((len(head + tail), 1),), method="GET", ended=ended)
        Framer().feed(head + tail)


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("gzip", gzip.compress(b"hello " * 20, mtime=0)),
        ("deflate", zlib.compress(b"hello " * 20)),
        ("Deflate", zlib.compress(b"hello " * 20)[2:-4]),
    ],
)
def test_content_coding_is_taken_off_but_the_body_kept(name: str, packed: bytes) -> None:
    head = OK + f"Content-Encoding: {name}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    half = len(packed) // 2
    first = b"%x\r\n%b\r\n" % (half, packed[:half])
    rest = b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed) - half, packed[half:])
    ends = (len(head + first), len(head + first + rest))
    response = parse(head + first + rest, ((ends[0], 10), (ends[1], 20)), method="GET", ended=False)
    assert response is not None
    assert response.body == packed
    assert response.content == b"hello " * 20
    assert response.coding == name.lower()
    assert response.arrived_ns(len(response.content) - 1) == 20
    with pytest.raises(IndexError):
        response.arrived_ns(len(response.content))


def test_broken_or_unknown_coding_does_not_raise() -> None:
    broken = parsed(OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")
    assert (broken.content, broken.body) == (b"", b"{}")
    unknown = parsed(OK + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}")
    assert unknown.content == b"{}"
    assert unknown.arrived_ns(1) == 1


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", [b"hello", b""]),
        (b"5\r\nhello\r\n1\r\nx\r\n", [b"hello", b"x"]),
        (b"00A\r\nabcdefghij\r\n", [b"abcdefghij"]),
        (b"400\r\n" + b"x" * 1024 + b"\r\n", [b"x" * 1024]),
        (b"5\r\nhello\r\n0\r\n", None),
        (b"5\r\nhel", None),
        (b"7\r\na\r\nbcde\r\n0\r\n\r\n", None),
        (b"0\r\n\r\n5\r\nhello\r\n", None),
        (b"0\r\nTrailer: x\r\n\r\n", None),
        (b"5;x\r\nhello\r\n", None),
        (b"+5\r\nhello\r\n", None),
        (b"00000000000000005\r\nhello\r\n", None),
        (b"5\r\nhello\n", None),
    ],
)
def test_whole_plain_chunks_are_seen_at_once_and_others_left_alone(body: bytes, data: list[bytes] | None) -> None:
    assert whole_chunks(CHUNKED + body, len(CHUNKED)) == data
    if data is not None:
        assert parsed(CHUNKED + body, ended=False).body == b"".join(data)
