"""Words that prove whose answer came back: each conversation has one of its own, and no other may ever come back in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from zlib import crc32

LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
SIZE = 6
"""Letters of a number, and of a check."""
PAIRS = tuple(first + second for first in LETTERS for second in LETTERS)
MARK = "zq"
"""What every word begins with."""
WORD = re.compile(rf"(?<![A-Za-z0-9]){MARK}([{LETTERS}]{{{SIZE}}})([{LETTERS}]{{{SIZE}}})(?![A-Za-z0-9])")


def word(seed: int, conversation: int) -> str:
    """The word of a conversation: its number, and a check that belongs to the run's seed, so that no text has one by chance."""
    number = _spelt(conversation)
    return f"{MARK}{number}{_check(seed, number)}"


def owners(seed: int, text: str) -> Iterator[int]:
    """The conversations whose words stand in a text, in order."""
    for match in WORD.finditer(text):
        if match[2] == _check(seed, match[1]):
            yield _read(match[1])


def _check(seed: int, number: str) -> str:
    return _spelt(crc32(number.encode(), _start(seed)))


@lru_cache(8)
def _start(seed: int) -> int:
    return crc32(f"{seed}/canary/".encode())


def _spelt(value: int) -> str:
    """The lowest 30 bits, five to a letter."""
    return PAIRS[value >> 20 & 1023] + PAIRS[value >> 10 & 1023] + PAIRS[value & 1023]


def _read(text: str) -> int:
    value = 0
    for letter in text:
        value = value * len(LETTERS) + LETTERS.index(letter)
    return value
