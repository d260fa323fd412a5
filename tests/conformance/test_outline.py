"""A head read at a glance says what a closer look says, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproof.conformance import outline as outlines
from chatproof.conformance.framer import Framer
from chatproof.conformance.outline import outline

LINES = [
    b"Content-Length: 2",
    b"content-length:  12 ",
    b"Content-Length: 2, 2",
    b"Content-Length: x",
    b"Content-Length : 2",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding: Chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Connection: close",
    b"Connection: keep-alive",
    b"connection: Upgrade, CLOSE",
    b"X-Connection: close",
    b"X: y\r\n folded",
    b"Content-Type: application/json",
    b"X-Content-Length: 9",
    b"Broken",
    b"",
]
STATUS = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 204 No",
    b"HTTP/1.1 304 No",
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 429 Slow",
    b"HTTP/1.1 100 Go",
    b"HTTP/1.1 200",
]
ENDS = [b"\r\n", b"\r\n", b"\r\n", b"\n"]


@given(
    st.sampled_from(STATUS),
    st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(ENDS)), max_size=5),
    st.sampled_from(["POST", "HEAD"]),
)
def test_both_looks_agree(status: bytes, lines: list[tuple[bytes, bytes]], method: str) -> None:
    head = status + b"\r\n" + b"".join(line + end for line, end in lines) + b"\r\n"
    quick = outline(head, method)
    framer = Framer(method)
    assert quick is None or quick[:4] == (framer._closer(head) or ())[:4]


@pytest.mark.parametrize("line", [b"Content-Length: 2", b"Transfer-Encoding: chunked"])
def test_the_usual_head_is_read_at_a_glance(line: bytes) -> None:
    assert outline(b"HTTP/1.1 200 OK\r\nDate: x\r\n" + line + b"\r\n\r\n", "POST") is not None


def test_heads_that_differ_in_numbers_are_told_apart() -> None:
    """They have one shape, of which nothing is remembered that a digit decides."""
    heads = [
        b"HTTP/1.1 %d X\r\nX-Left-1: 7\r\nX-Left: %d\r\nContent-Length: %d\r\n\r\n" % row
        for row in [(200, 61, 17), (429, 60, 99), (503, 10, 42)]
    ]
    for head, row in zip(heads, [(200, b"61", 17), (429, b"60", 99), (503, b"10", 42)], strict=True):
        said = outline(head, "POST")
        assert said is not None
        assert said.fields is not None
        assert (said.status, head[said.fields["x-left"]], said.length) == row
        assert "x-left-1" not in said.fields
    assert outline(heads[0].replace(b" 200 ", b" 204 "), "POST") is None
    assert outline(heads[0].replace(b"/1.1", b"/1.0"), "POST") is None


@pytest.mark.parametrize("line", [b"X: a\r\nX: b", b"X:a", b"X:  a", b"X: a "])
def test_a_head_with_an_unusual_field_has_no_places(line: bytes) -> None:
    said = outline(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + line + b"\r\n\r\n", "POST")
    assert said is None or said.fields is None


def test_heads_that_differ_in_an_identifier_have_one_shape() -> None:
    """Each response has another; the places of what is looked at are those of the first all the same."""
    before = len(outlines._SHAPES)
    for name, left in [(b"0a7c-F", b"7"), (b"ffff-e", b"6"), (b"req_9z", b"5")]:
        head = b"HTTP/1.1 200 OK\r\nX-Request-Id: %b\r\nX-Left: %b\r\nContent-Length: 2\r\n\r\n" % (name, left)
        said = outline(head, "POST")
        assert said is not None
        assert said.fields is not None
        assert (head[said.fields["x-left"]], head[said.fields["x-request-id"]]) == (left, name)
    assert len(outlines._SHAPES) - before <= 1
