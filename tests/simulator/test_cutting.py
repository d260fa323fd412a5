"""Texts in pieces: they join to the text again, no character is cut, and no message makes more than so many."""

from __future__ import annotations

from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproof.simulator.cutting import BY_WORD, PIECES, WHOLE, Chunk, pieces, words

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
TEXT = f"Gr\u00fc\u00dfe e\u0301 {FAMILY}!"
WAYS = (BY_WORD, WHOLE, Chunk("character"), Chunk("bytes", (4,)), Chunk("bytes", (4, 9)), Chunk("word", (1, 4)), Chunk("recorded", (3, 1)), Chunk("character", (2,)))  # fmt: skip


@pytest.mark.parametrize(
    ("chunk", "wanted"),
    [
        (BY_WORD, ["Gr\u00fc\u00dfe", " e\u0301", f" {FAMILY}!"]),
        (WHOLE, [TEXT]),
        (Chunk("character"), [*"Gr\u00fc\u00dfe ", "e\u0301", " ", FAMILY, "!"]),
        (Chunk("character", (4,)), ["Gr\u00fc\u00df", "e e\u0301 ", f"{FAMILY}!"]),
        (Chunk("bytes", (18,)), ["Gr\u00fc\u00dfe e\u0301 ", FAMILY, "!"]),
        (Chunk("bytes", (7,)), ["Gr\u00fc\u00dfe", " e\u0301 ", FAMILY[:2], FAMILY[2:4], f"{FAMILY[4]}!"]),
        (Chunk("recorded", (2, 5)), ["Gr", "\u00fc\u00dfe e", "\u0301 ", f"{FAMILY}"[:5], "!"]),
        (Chunk("word", (2,)), ["Gr\u00fc\u00dfe e\u0301", f" {FAMILY}!"]),
    ],
)
def test_each_way_to_cut(chunk: Chunk, wanted: list[str]) -> None:
    assert list(pieces(TEXT, chunk)) == wanted


def test_sizes_that_vary_are_those_of_chance() -> None:
    assert pieces("a b c d e f", Chunk("word", (1, 3)), cycle((1, 3, 2))) == ["a", " b c d", " e f"]
    assert [Chunk("word", (1, 4)).size(chance) for chance in (0.0, 0.24, 0.25, 0.99)] == [1, 1, 2, 4]
    assert not Chunk("recorded", (1, 4)).varies
    assert not Chunk("word", (2, 2)).varies


@pytest.mark.parametrize("chunk", WAYS)
@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(), max_size=60), sizes=st.lists(st.integers(4, 9), min_size=1))
def test_pieces_join_to_the_text_again(chunk: Chunk, text: str, sizes: list[int]) -> None:
    found = pieces(text, chunk, cycle(sizes))
    assert "".join(found) == text
    assert all(found)
    if chunk.unit == "bytes":
        assert all(len(piece.encode("utf-8", "surrogatepass")) <= chunk.sizes[-1] for piece in found)


@pytest.mark.parametrize("chunk", [BY_WORD, Chunk("character"), Chunk("bytes", (4,)), Chunk("recorded", (1,))])
def test_a_long_text_comes_in_a_bounded_number_of_pieces(chunk: Chunk) -> None:
    text = "a " * (3 * PIECES)
    found = pieces(text, chunk)
    assert PIECES / 2 < len(found) <= PIECES
    assert "".join(found) == text


def test_as_many_as_there_may_be_are_left_alone() -> None:
    assert len(pieces(" a" * PIECES)) == PIECES
    assert len(pieces(" a" * (PIECES + 1))) == PIECES // 2 + 1


def test_no_text_has_no_pieces() -> None:
    assert [len(pieces("", chunk)) for chunk in WAYS] == [0] * len(WAYS)
    assert words("One  two\n") == ("One", "  two", "\n")
