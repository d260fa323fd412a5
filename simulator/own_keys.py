"""Keys that are made while a backend runs: what is taken for one, whoever makes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..spec import Dialect
from .plans import own
from .population import Key

SENDABLE = r"[\x21-\x7e]+"
"""What an ``Authorization`` header can bear: visible ASCII, no space."""
LESS = "to leave a key less, make it anew with a smaller balance"


def own_key(
    dialect: Dialect, text: str, plan: str | None, limits: Mapping[str, Any], agent: str | None, balance: Any
) -> Key:
    """A key of that text in that dialect; ``ValueError`` for what no key can be."""
    if not isinstance(text, str) or re.fullmatch(SENDABLE, text) is None:
        raise ValueError(
            f"a key's text has visible ASCII characters and no space, so that a request can bear it; not {text!r}"
        )
    for word, limit in limits.items():
        if limit is not None and not _whole(limit, 1):
            raise ValueError(f"{word}: expected a whole number from 1, got {limit!r}")
    if balance is not None and not _whole(balance, 0):
        raise ValueError(f"balance: expected a whole number from 0, got {balance!r}")
    return Key(text, own(dialect, plan, limits), agent, balance)


def units(told: Any) -> int:
    """How much a balance is topped up by; ``ValueError`` for what takes away, or is no number."""
    if not _whole(told, 1):
        raise ValueError(f"units: expected a whole number from 1, got {told!r}; {LESS}")
    return int(told)


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
