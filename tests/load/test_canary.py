"""A word belongs to one conversation of one seed, and is found in any text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatproof.load.canary import owners, word
from chatproof.load.prompts import Prompts

NUMBERS = st.integers(0, 10**8)


@given(NUMBERS, NUMBERS)
def test_words_are_found_in_order_whatever_stands_around_them(first: int, second: int) -> None:
    text = f"(reference {word(7, first)}), not {word(7, second)}."
    assert list(owners(7, text)) == [first, second]


@given(NUMBERS)
def test_a_word_of_another_seed_or_a_changed_one_is_nobodys(number: int) -> None:
    own = word(7, number)
    assert not list(owners(8, own))
    assert not list(owners(7, own[:-1] + ("b" if own[-1] != "b" else "c")))
    assert not list(owners(7, own + "x"))


def test_prompts_are_the_same_for_the_same_seed_and_bear_the_word() -> None:
    prompts = Prompts(7, turns=3, proof="both", tell="Remember this code: {nonce}", ask="What code?")
    said = prompts.messages(5)
    assert said == prompts.messages(5)
    assert said != prompts.messages(6)
    assert [word(7, 5) in text for text, _ in said] == [True, True, False]
    assert [expected for _, expected in said] == [True, True, True]


def test_without_a_proof_nothing_has_to_come_back() -> None:
    assert [expected for _, expected in Prompts(7, turns=2, proof="watch").messages(0)] == [False, False]
    ((text, expected),) = Prompts(7, proof="off").messages(0)
    assert "reference" not in text
    assert not expected


def test_messages_from_a_file_are_sent_as_they_stand_but_for_the_word() -> None:
    prompts = Prompts(7, proof="echo", conversations=(("Hello",), ("My code is {nonce}", "Bye")))
    assert prompts.messages(2) == [("Hello", False)]
    assert prompts.messages(3) == [(f"My code is {word(7, 3)}", True), ("Bye", False)]
