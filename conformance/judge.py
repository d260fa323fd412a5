"""From recorded transcripts to an outcome for every requirement. Pure: the same bytes give the same verdict, live or years later."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from ..spec import Dialect, Requirement
from . import checks  # noqa: F401  (fills CHECKS)
from .check import CHECKS, Check, Finding, Note, Over, Reading, StepMissing, Steps, StrayLimit, Unclear, Unverified
from .exchange import split_credential
from .profile import Profile
from .seen import Seen
from .transcript import Transcript

Outcome = Literal["pass", "fail", "warn", "observed", "skipped", "not_verified", "inconclusive", "error", "untestable"]
Verdict = Literal["conformant", "nonconformant", "incomplete"]
MOST_FINDINGS = 5
SHORTEST_SECRET = 6
"""Shorter words stand in texts by chance."""
LEVELS = {"must": ("MUST",), "should": ("MUST", "SHOULD"), "may": ("MUST", "SHOULD", "MAY")}
NOTHING_SEEN: Mapping[Over, str] = {
    "streams": "no stream that this is about came back",
    "replies": "no JSON reply that this is about came back",
    "refusals": "no refusal that this is about came back",
    "answers": "no response that this is about came back",
    "keys": "no key was made through the API",
    "requests": "no request was sent",
}


BROKEN: Mapping[str, Outcome] = {"MUST": "fail", "SHOULD": "warn", "MAY": "observed"}
"""Level of a requirement -> what a finding makes of it."""
UNDECIDED: Mapping[type[Unclear | Unverified], Outcome] = {Unclear: "inconclusive", Unverified: "not_verified"}
"""Without a finding: what such notes make of it, the first kind first."""
ILLEGIBLE = "nothing that this is about could be read; the requirements of `http`, `sse` and `json` say why"


@dataclass(frozen=True)
class Absent:
    """Why a scenario was not played (to its end): ``skipped`` (capability not claimed), ``not_verified`` (a profile key is
    missing, or the run ended), ``error`` (it crashed, which is our fault)."""

    outcome: Literal["skipped", "not_verified", "error"]
    reason: str


@dataclass(frozen=True)
class Evidence:
    """Everything that a run recorded, with the dialect and profile to read it by."""

    dialect: Dialect
    profile: Profile
    transcripts: Sequence[Transcript]
    absent: Mapping[str, Absent] = field(default_factory=dict)

    def seen(self) -> list[Seen]:
        return [seen for _, every in self._scenarios for seen in every]

    def steps(self, scenario: str) -> Steps | None:
        return next((Steps(every) for name, every in self._scenarios if name == scenario), None)

    def secrets(self) -> tuple[str, ...]:
        """What must not be written: the profile's credentials, keys that the target made for us, and all that were sent.

        Among those sent are some that differ from a valid one in a letter.
        """
        seen = self.seen()
        made = (one.key_roles.get("key") for one in seen if one.dialect.key_reply is not None)
        sent = (split_credential(one.exchange.request.header("authorization") or "")[1] for one in seen)
        found = {key for key in (*made, *sent) if isinstance(key, str) and len(key) >= SHORTEST_SECRET}
        return tuple(sorted({*self.profile.secrets, *found}, key=len, reverse=True))

    @cached_property
    def _scenarios(self) -> tuple[tuple[str, tuple[Seen, ...]], ...]:
        """Made once, since what is seen keeps what it has read."""
        return tuple(
            (
                transcript.scenario,
                tuple(Seen(exchange, self.dialect, self.profile) for exchange in transcript.exchanges),
            )
            for transcript in self.transcripts
        )


@dataclass(frozen=True)
class Judged:
    """One requirement and what became of it."""

    requirement: Requirement
    outcome: Outcome
    reason: str | None = None
    findings: tuple[Finding, ...] = ()


def choose(rows: Iterable[Requirement], level: str = "may", select: Sequence[str] = ()) -> list[Requirement]:
    """The rows at that level or stricter whose id matches one of the globs (all, if none is given)."""
    return [
        row
        for row in rows
        if row.level in LEVELS[level] and (not select or any(fnmatch.fnmatchcase(row.id, glob) for glob in select))
    ]


def judge(rows: Iterable[Requirement], evidence: Evidence) -> list[Judged]:
    """The outcome of every row, in their order."""
    every = evidence.seen()
    return [_judge(row, evidence, every) for row in rows]


def verdict(judged: Sequence[Judged]) -> Verdict:
    """Broken if anything failed; kept only if something was verified and nothing went wrong on our side."""
    outcomes = [row.outcome for row in judged]
    if "fail" in outcomes:
        return "nonconformant"
    if "error" in outcomes or not {"pass", "warn"} & set(outcomes):
        return "incomplete"
    return "conformant"


def _judge(row: Requirement, evidence: Evidence, every: Sequence[Seen]) -> Judged:
    if row.check is None:
        return Judged(row, "untestable", row.untestable)
    check = CHECKS[row.check]
    absent = evidence.absent.get(check.scenario or "")
    if absent is not None:
        return Judged(row, absent.outcome, absent.reason)
    try:
        notes = list(_pinned(row, evidence.profile, _notes(check, evidence, every)))
    except StrayLimit as stray:
        return Judged(row, "inconclusive", f"the target's own 429 got in the way of {stray.args[0]!r}")
    except StepMissing as missing:
        return Judged(row, "not_verified", f"the scenario did not get as far as {missing.args[0]!r}")
    except Exception as error:  # noqa: BLE001  (a crash of ours must become an outcome, never a verdict on the target)
        return Judged(row, "error", f"the check crashed: {type(error).__name__}: {error}")
    return _outcome(row, notes)


def _notes(check: Check, evidence: Evidence, every: Sequence[Seen]) -> Iterator[Note]:
    if check.judge_steps is not None and check.scenario is not None:
        steps = evidence.steps(check.scenario)
        if steps is None:
            yield Unverified(f"the scenario {check.scenario!r} was not played")
        elif check.control is not None and not steps[check.control].ok:
            control = steps[check.control]
            got = control.status or control.exchange.end.value
            yield Unclear(f"the same request, made well, was answered {got}, so a refusal proves nothing")
        elif not all(steps[step].legible for step in check.reads):
            yield Unclear(ILLEGIBLE)
        else:
            yield from check.judge_steps(steps)
        return
    candidates = [seen for seen in every if _is(check.over, seen) and (check.when is None or check.when(seen))]
    if not candidates:
        yield Unverified(NOTHING_SEEN[check.over or "requests"])
        return
    readable = [seen for seen in candidates if seen.legible] if check.legible else candidates
    if not readable:
        yield Unclear(ILLEGIBLE)
    kept = 0
    unverified: list[Note] = []
    for seen in readable:
        notes = list(check.judge_one(seen)) if check.judge_one else []
        kept += not notes
        yield from (note for note in notes if not isinstance(note, Unverified))
        unverified += [note for note in notes if isinstance(note, Unverified)]
    if not kept:
        yield from unverified


def _is(over: Over | None, seen: Seen) -> bool:
    match over:
        case "streams":
            return seen.is_stream
        case "replies":
            return seen.is_reply
        case "refusals":
            return seen.status >= 400
        case "answers":
            return seen.exchange.response is not None
        case "keys":
            creation = seen.dialect.operation("keys")
            return seen.ok and creation is not None and seen.asked.get("operation") == creation.id
        case _:
            return True


def _pinned(row: Requirement, profile: Profile, notes: Iterable[Note]) -> Iterator[Note]:
    """A reading that differs from the one the profile pins is a finding."""
    pin = profile.rulings.get(row.ambiguity or "")
    for note in notes:
        if isinstance(note, Reading) and pin is not None and pin not in (note.value, *note.also):
            yield Finding(f"the reading {pin!r}, which the profile pins", f"{note.value!r}: {note.text}", pinned=True)
        else:
            yield note


def _outcome(row: Requirement, notes: Sequence[Note]) -> Judged:
    findings = [note for note in notes if isinstance(note, Finding)]
    if findings:
        more = len(findings) - MOST_FINDINGS
        reason = f"and {more} more findings of this kind" if more > 0 else None
        level = "MUST" if any(note.pinned for note in findings) else row.level
        return Judged(row, BROKEN[level], reason, tuple(findings[:MOST_FINDINGS]))
    for kind, named in UNDECIDED.items():
        reasons = list(dict.fromkeys(note.reason for note in notes if isinstance(note, kind)))
        if reasons:
            return Judged(row, named, "; ".join(reasons))
    readings = list(dict.fromkeys(note.text for note in notes if isinstance(note, Reading)))
    return Judged(row, "observed", "; ".join(readings)) if readings else Judged(row, "pass")
