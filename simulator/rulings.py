"""The open questions of the register (``spec/ambiguities.yaml``), as switches: which reading the backend follows.

A reading is another table (``ruled_tables``), another decision (``rules.Readings``), or nothing that could be switched, and
then the row says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..spec import Dialect, did_you_mean
from . import ruled_tables as tables
from .rules import Readings

PER_DIALECT = "each dialect keeps to its own document, where that is a MUST; there is nothing to switch"


@dataclass(frozen=True)
class Ruling:
    """A reading in force. ``table``: what becomes of a dialect; ``decides``: fields of ``Readings``."""

    table: Callable[[Dialect], Dialect] | None = None
    decides: Mapping[str, Any] = field(default_factory=dict)


def _table(change: Callable[[Dialect], Dialect]) -> Ruling:
    return Ruling(change)


def _decides(**fields: Any) -> Ruling:
    return Ruling(decides=fields)


PLAIN = Ruling()
RULINGS: Mapping[str, Mapping[str, Ruling | str]] = {
    "AMB-01": {"streams": f"{PER_DIALECT} (the fault wrong-stream-default does)", "json": f"{PER_DIALECT} (the fault wrong-stream-default does)"},
    "AMB-02": {"prose": _table(tables.forms()), "publish": _table(tables.forms("agent")), "query": _table(tables.forms("message"))},
    "AMB-03": {
        "body": _table(tables.switch_by_body),
        "accept": _table(tables.switch_by_accept),
        "unasked": "a server that streams unasked could not be asked for the documented JSON reply; the fault wrong-stream-default is one",
    },
    "AMB-04": {"both": _decides(retry_after="both"), "body": _decides(retry_after="body"), "header": _decides(retry_after="header"),
        "none": _decides(retry_after="none")},
    "AMB-05": {"left-out": PLAIN, "total": _table(tables.in_event("done", "total_tokens"))},
    "AMB-06": {"silent": PLAIN, "named": _table(tables.in_event("done", "session"))},
    "AMB-07": {"known": "what an unknown id is met with is the question of AMB-09: rule that", "chosen": PLAIN},
    "AMB-08": {"400": _table(tables.status("invalid_request", 400)), "422": _table(tables.status("invalid_request", 422))},
    "AMB-09": {name: _decides(unknown_session=name) for name in ("created", "404", "replaced")},
    "AMB-10": {pointer: _table(tables.code_at(pointer)) for pointer in ("/error/code", "/code", "/error", "/detail/code")},
    "AMB-11": {"every": PLAIN, "known-keys": _decides(limits_told_to_all=False)},
    "AMB-12": {"blank-line": PLAIN, "each-line": "that fails a MUST of the standard: it is the fault no-blank-line"},
    "AMB-13": {"120-and-10": PER_DIALECT, "60-and-10000": PER_DIALECT},
    "AMB-14": {"v1-api": _table(tables.one_path), "root": "whoever calls the path of the printed samples would find nobody, which is a MUST"},
    "AMB-15": {"stops": PLAIN, "done": _decides(done_after_failure=True)},
    "AMB-16": {unit: _decides(reset_in=unit) for unit in ("epoch", "delta", "milliseconds")},
    "AMB-17": {"same": PLAIN, "own": _table(tables.own_shape("AMB-17"))},
    "AMB-18": {"everywhere": PLAIN, "listed": _decides(balance_everywhere=False)},
    "AMB-19": {"auth-first": PLAIN, "any": _decides(any_order=True)},
    "AMB-20": {"refused": _decides(odd_input="refused"), "taken": _decides(odd_input="taken")},
    "AMB-21": {kind: _decides(window=kind) for kind in ("fixed", "aligned", "sliding", "bucket")},
    "AMB-22": {str(code): _table(tables.status("wrong_agent", code)) for code in (401, 403, 404)},
    "AMB-23": {"kept": PLAIN, "passed-over": _decides(web_headers=False)},
    "AMB-24": {"apart": PLAIN, "shared": _decides(shared_sessions=True)},
    "AMB-25": {"answered": PLAIN, "refused": _decides(second_turn_refused=True)},
    "AMB-26": {"refused": PLAIN, "made": _decides(agent_keys_make_keys=True)},
}  # fmt: skip
"""Question -> name of a reading or quirk -> what it changes, or why it cannot be switched."""


@dataclass(frozen=True)
class Rulings:
    """Those that were given, and what they come to."""

    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def readings(self) -> Readings:
        """All decisions."""
        decided: dict[str, Any] = {}
        for ruling in self._rulings():
            decided |= ruling.decides
        return replace(Readings(), **decided)

    def table(self, plain: Dialect) -> Dialect:
        """A dialect by these readings."""
        for ruling in self._rulings():
            plain = ruling.table(plain) if ruling.table else plain
        return plain

    def __str__(self) -> str:
        return ", ".join(f"{question}={name}" for question, name in sorted(self.given.items()))

    def _rulings(self) -> list[Ruling]:
        found = (RULINGS[question][name] for question, name in self.given.items())
        return [one for one in found if isinstance(one, Ruling)]


def wrong(question: str, name: str) -> tuple[str, bool] | None:
    """What is wrong with one ruling in a sentence, and whether it is the question that is; ``None`` if nothing is."""
    if question not in RULINGS:
        short = re.sub(r"(?i)^amb[-_ ]?0*([0-9])$", r"AMB-0\1", question)
        near = did_you_mean(short, list(RULINGS)) or f"; there are {min(RULINGS)} to {max(RULINGS)}"
        return f"no ruling {question!r}{near}", True
    names = RULINGS[question]
    if name not in names:
        return f"{question} has no reading {name!r}{did_you_mean(name, list(names))}; it has {', '.join(names)}", False
    found = names[name]
    return (f"{question}={name} cannot be switched: {found}", False) if isinstance(found, str) else None


def rulings(given: Mapping[str, str]) -> Rulings:
    """Those rulings in force; ``ValueError`` says what is wrong with the first bad one."""
    for question, name in given.items():
        mistake = wrong(question, name)
        if mistake is not None:
            raise ValueError(mistake[0])
    return Rulings(dict(given))


def from_words(words: list[str] | tuple[str, ...]) -> dict[str, str]:
    """``AMB-09=404`` for each, as flags have it; ``ValueError`` for another form, or for two of one question that differ."""
    given: dict[str, str] = {}
    for word in words:
        question, equals, name = word.partition("=")
        if not equals:
            raise ValueError(f"--ruling: expected a question and a reading, as AMB-09=created, got {word!r}")
        if given.setdefault(question, name) != name:
            raise ValueError(f"--ruling: {question} is ruled twice, {given[question]} and {name}")
    try:
        rulings(given)
    except ValueError as error:
        raise ValueError(f"--ruling: {error}") from None
    return given
