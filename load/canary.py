"""Words that prove whose answer came back: each conversation has one of its own, and no other may ever come back in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from zlib import crc32

LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
NUMBER_SIZE, CHECK_SIZE = 6, 6
MARK = "zq"
"""What every word begins with."""
WORD = re.compile(rf"(?<![A-Za-z0-9]){MARK}([{LETTERS}]{{{NUMBER_SIZE}}})([{LETTERS}]{{{CHECK_SIZE}}})(?![A-Za-z0-9])")


@lru_cache(65536)
def word(seed: int, conversation: int) -> str:
    """The word of a conversation: its number, and a check that belongs to the run's seed, so that no text has one by chance."""
    number = _spelt(conversation, NUMBER_SIZE)
    return f"{MARK}{number}{_check(seed, number)}"


def owners(seed: int, text: str) -> Iterator[int]:
    """The conversations whose words stand in a text, in order."""
    for match in WORD.finditer(text):
        if match[2] == _check(seed, match[1]):
            yield _read(match[1])


def _check(seed: int, number: str) -> str:
    return _spelt(crc32(f"{seed}/canary/{number}".encode()), CHECK_SIZE)


def _spelt(value: int, size: int) -> str:
    letters = []
    for _ in range(size):
        value, digit = divmod(value, len(LETTERS))
        letters.append(LETTERS[digit])
    return "".join(reversed(letters))


def _read(text: str) -> int:
    value = 0
    for letter in text:
        value = value * len(LETTERS) + LETTERS.index(letter)
    return value
