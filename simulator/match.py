"""Which entries of a journal are meant: by what was asked, and by what became of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from ..spec import did_you_mean
from .faults import CATALOGUE
from .journal import Closed, Entry
from .masking import label, mask

Match = Callable[[Entry], bool]


def _status(entry: Entry, wanted: Any) -> bool:
    """A number, or a class of them as ``"4xx"``."""
    if isinstance(wanted, str) and wanted.endswith("xx"):
        return str(entry.status)[:1] == wanted[:1]
    return str(entry.status) == str(wanted)


def _key(entry: Entry, wanted: str) -> bool:
    return entry.key is not None and entry.key in (wanted, label(wanted))


def _path(entry: Entry, wanted: str) -> bool:
    """With the scope that it may begin with, or without."""
    path = entry.target.partition("?")[0]
    return wanted in (path, path.removeprefix(f"/@{entry.scope}"))


def _shown(entry: Entry, text: str) -> str:
    return str(mask(text, entry.hidden))


def _headers(entry: Entry, wanted: Mapping[str, str | None]) -> bool:
    found = entry.headers
    return all(name.lower() in found and value in (None, found[name.lower()]) for name, value in wanted.items())


WORDS: dict[str, Callable[[Entry, Any], bool]] = {
    "scope": lambda entry, wanted: entry.scope == wanted,
    "dialect": lambda entry, wanted: entry.dialect == wanted,
    "operation": lambda entry, wanted: entry.operation == wanted,
    "agent": lambda entry, wanted: entry.agent == _shown(entry, wanted),
    "session": lambda entry, wanted: entry.session == (None if wanted is None else _shown(entry, wanted)),
    "key": _key,
    "method": lambda entry, wanted: entry.method == wanted.upper(),
    "path": _path,
    "headers": _headers,
    "contains": lambda entry, wanted: _shown(entry, wanted) in entry.body,
    "status": _status,
    "said": lambda entry, wanted: entry.said == wanted,
    "refusal": lambda entry, wanted: entry.refusal == wanted,
    "streamed": lambda entry, wanted: entry.about.streamed == wanted,
    "fault": lambda entry, wanted: wanted in entry.faults,
    "unmatched": lambda entry, wanted: entry.about.unmatched == wanted,
    "closed": lambda entry, wanted: entry.closed == wanted,
    "since": lambda entry, wanted: entry.number > wanted,
}
"""What entries are chosen by. ``contains``: in the request's body. ``since``: after that number. ``unmatched``: no rule fits."""


STATUS = re.compile(r"[1-5](?:\d\d|xx)|0")
NAMES: dict[str, tuple[str, ...]] = {"closed": get_args(Closed), "fault": tuple(CATALOGUE)}
"""Words of which it is known what can be told."""


def matching(**wanted: Any) -> Match:
    """Whether an entry is as told, in every word; ``ValueError`` for a word, or a value of one, that there is none of."""
    for word in wanted:
        if word not in WORDS:
            raise ValueError(
                f"no entry is chosen by {word!r}{did_you_mean(word, list(WORDS))}; known: {', '.join(WORDS)}"
            )
    if "status" in wanted and not STATUS.fullmatch(str(wanted["status"])):
        raise ValueError(f"status: expected a status as 429, or a class of them as 4xx, got {wanted['status']!r}")
    for word, known in NAMES.items():
        if word in wanted and wanted[word] not in known:
            hint = did_you_mean(str(wanted[word]), list(known)) or (
                "" if len(known) > 10 else f"; known: {', '.join(known)}"
            )
            raise ValueError(f"{word}: there is no {wanted[word]!r}{hint}")
    return lambda entry: all(WORDS[word](entry, value) for word, value in wanted.items())
