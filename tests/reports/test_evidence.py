"""The bytes around a finding: which is marked, what began where, which read brought it, also where only slices are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chatproof.reports.evidence import STRIP, Part, arrivals, hex_rows, text_of, text_window, ticks

from .conftest import BODY, bytes_

Json = dict[str, Any]
Make = Callable[..., Json]


def written(parts: tuple[Part, ...]) -> str:
    return "".join(f"[{part.text}]" if part.kind == "mark" else part.text for part in parts)


def marked(exchange: Json, finding: Json) -> list[tuple[str, str]]:
    """The marked byte in hexadecimal and as text, and where."""
    return [
        (row.offset, part.text)
        for row in hex_rows(exchange, finding)
        for part in (*row.cells, *row.text)
        if part.kind == "mark"
    ]


@pytest.mark.parametrize("offset", [0, 15, 16, 100, len(BODY) - 1])
def test_the_byte_in_question_is_marked_once_in_each_column(offset: int, exchange: Make, finding: Make) -> None:
    byte = BODY[offset]
    shown = chr(byte) if 32 <= byte < 127 else "."
    row = f"{offset // 16 * 16:06x}"
    assert marked(exchange(), finding(offset=offset)) == [(row, f"{byte:02x}"), (row, shown)]


def test_every_byte_shown_is_the_one_at_its_offset(exchange: Make, finding: Make) -> None:
    for row in hex_rows(exchange(), finding(offset=100)):
        found = bytes.fromhex("".join(c for c in "".join(part.text for part in row.cells) if c not in "|:‖ "))
        start = int(row.offset, 16)
        assert found == BODY[start : start + len(found)]
        assert found


def test_what_began_where_is_drawn(exchange: Make, finding: Make) -> None:
    drawn: dict[int, str] = {}
    for row in hex_rows(exchange(), finding(offset=60)):
        at = int(row.offset, 16)
        for part in row.cells:
            if part.kind in ("read", "chunk", "both"):
                drawn[at] = part.kind
            elif part.kind in ("", "mark"):
                at += len(part.text.replace(" ", "")) // 2
    assert drawn == {0: "both", 40: "read", 98: "both"}


def test_the_text_around_shows_line_ends_and_whole_characters(exchange: Make, finding: Make) -> None:
    at = BODY.index(b"\xc3")
    text = written(text_window(exchange(), finding(offset=at)))
    assert 'caf[é]"}\\n\n\\n\ndata: ' in text
    assert "[\\n]\n" in written(text_window(exchange(), finding(offset=BODY.index(b"\n"))))
    assert written(text_window(exchange(), finding(offset=len(BODY)))).endswith("[end of the body]")


def test_bytes_that_are_no_text_are_escaped(exchange: Make, finding: Make) -> None:
    one = exchange()
    one["response"]["body"] = bytes_(b"ab\xff\x00cd")
    assert written(text_window(one, finding(offset=2))) == "ab[\\xff]\x00cd"


def test_a_long_body_is_shown_from_its_slices(exchange: Make, finding: Make) -> None:
    one, body = exchange(), bytes(n % 256 for n in range(5_000))
    one["response"]["body"] = bytes_(body, (0, 100), (2_000, 3_000))
    assert marked(one, finding(offset=2_500))[0] == ("0009c0", f"{body[2_500]:02x}")
    assert marked(one, finding(offset=2_003))[0] == ("0007d0", f"{body[2_003]:02x}")
    assert hex_rows(one, finding(offset=1_000)) == []
    assert text_window(one, finding(offset=1_000)) == ()


def test_gaps_in_a_body_are_named(exchange: Make) -> None:
    told = bytes_(b"abcdefghij", (0, 3), (6, 8))
    assert text_of(told) == "abc\n… 3 bytes …\ngh\n… 2 bytes more"
    assert text_of(bytes_(b"x" * 50), most=10).startswith("x" * 10 + "\n…")


def test_an_offset_in_the_response_counts_from_its_first_byte(exchange: Make, finding: Make) -> None:
    one = exchange(raw=bytes_(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nbody"))
    assert marked(one, finding(offset=9, within="response"))[0] == ("000000", "32")
    assert marked(exchange(), finding(offset=9, within="response")) == []


def test_no_response_has_no_window(exchange: Make, finding: Make) -> None:
    assert hex_rows(exchange(response=None), finding()) == []
    assert hex_rows(exchange(), finding(offset=None)) == []
    assert text_window(exchange(response=None), finding()) == ()


@pytest.mark.parametrize(("offset", "read"), [(0, 0), (39, 0), (40, 1), (97, 1), (98, 2), (None, None)])
def test_the_read_that_brought_the_byte_is_marked(
    offset: int | None, read: int | None, exchange: Make, finding: Make
) -> None:
    found = ticks(exchange(), finding(offset=offset))
    assert [number for number, tick in enumerate(found) if tick.marked] == ([] if read is None else [read])
    said = "" if read is None else f"; byte {offset} came with read {read + 1}"
    assert arrivals(exchange(), finding(offset=offset)).endswith(f"the last after 41.2 ms{said}; ended: complete.")


def test_a_strip_is_drawn_to_scale(exchange: Make) -> None:
    found = ticks(exchange())
    assert [tick.x for tick in found] == [round(at / 41.25 * STRIP, 1) for at in (2.5, 20.0, 41.25)]
    assert max(tick.height for tick in found) == 1
    assert ticks(exchange(reads=[])) == []
    assert arrivals(exchange(reads=[], end="reset")) == "Nothing came; ended: reset."
