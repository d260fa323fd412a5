from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatproof.reports.text import LIMIT, block, counted, one_line, visible


@given(st.text(st.characters(codec=None)))
def test_visible_text_can_be_written_anywhere(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    shown.encode("utf-8")


def test_what_has_no_ink_becomes_an_escape() -> None:
    assert visible("a\x1b[31m\u202e\ud800\x00é 日") == "a\\x1b[31m\\u202e\\ud800\\x00é 日"
    assert visible("a\nb\r", keep="\n") == "a\nb\\r"


def test_a_block_keeps_its_lines_and_says_what_it_leaves_out() -> None:
    assert block("a\r\nb") == "a\\r\nb"
    assert block("x" * (LIMIT + 5)).endswith("\n… 5 more characters; the JSON report has them")
    assert block("x" * (LIMIT + 5), None) == "x" * (LIMIT + 5)


def test_one_line_is_one_line() -> None:
    assert one_line(" a\n\n  b\u2028c\t") == "a b c"


def test_numbers_agree_with_their_noun() -> None:
    assert [counted(n, "request") for n in (0, 1, 12_345)] == ["0 requests", "1 request", "12,345 requests"]
