"""Why a request was answered as it was: the rules of its script that were tried, and what became of each. Nothing is kept for it
but what the turn was decided by; it is played again when somebody asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import masking
from .journal import Entry

if TYPE_CHECKING:
    from .script.match import Miss
    from .script.model import Rule
    from .script.play import Trial

Row = dict[str, Any]


def unmatched(entry: Entry) -> Row | None:
    """The rules that were tried and why each failed, the nearest first, for a request that none of them fits; else ``None``.

    ``{"agent", "turn", "rules": [{"rule": 2, "at": "script.yaml:15:11", "why": ["contains: 'help' is not in 'halp'"]}]}``; rules
    are counted from 1. Masked.
    """
    trial = entry.about.trial
    if not entry.about.unmatched or trial is None:
        return None
    from .script.match import nearest_first

    rows = [_missed(miss) for miss in nearest_first(_tried(trial)[1])]
    return _masked(entry, {"agent": trial.agent.name, "turn": trial.cursor.turn, "rules": rows})


def sentences(entry: Entry) -> tuple[str, ...]:
    """The same as a line a rule; none for a request that was answered."""
    found = unmatched(entry)
    if found is None:
        return ()
    return tuple(f"rule {row['rule']} ({row['at']}): {'; '.join(row['why'])}" for row in found["rules"])


def explained(entry: Entry) -> Row:
    """Which rule answered and why the others did not, in the script's order; or, in words, why no rule was asked. Masked.

    ``{"number", "status", "said", "answered", "agent", "turn", "session", "rules": [{"rule", "at", "outcome", "why"}]}``. ``outcome``:
    ``answered``, ``failed``, ``passed over`` (it fits, and another went before it), ``not tried``.
    """
    trial = entry.about.trial
    row: Row = {"number": entry.number, "status": entry.status, "answered": None, "why": _why(entry), "rules": []}
    if trial is None:
        return _masked(entry, row)
    row |= {"agent": trial.agent.name, "turn": trial.cursor.turn, "message": trial.told.message}
    if trial.rule is not None:
        row["answered"] = {"rule": trial.rule.number, "at": trial.rule.place}
    fitting, misses = _tried(trial)
    failed = {miss.rule.number: miss for miss in misses}
    fits = {rule.number for rule in fitting}
    row["rules"] = [
        _missed(failed[rule.number], "failed") if rule.number in failed else _outcome(rule, trial, rule.number in fits)
        for rule in trial.agent.turns[trial.cursor.turn]
    ]
    return _masked(entry, row)


def _tried(trial: Trial) -> tuple[list[Rule], list[Miss]]:
    from .script.play import retried

    return retried(trial)


def _missed(miss: Miss, outcome: str = "") -> Row:
    row: Row = {"rule": miss.rule.number, "at": miss.rule.place}
    return {**row, **({"outcome": outcome} if outcome else {}), "why": list(miss.why)}


def _outcome(rule: Rule, trial: Trial, fits: bool) -> Row:
    row: Row = {"rule": rule.number, "at": rule.place}
    if trial.rule is None:
        return {
            **row,
            "outcome": "failed",
            "why": ["it fits, and making its answer failed"] if fits else ["not reached"],
        }
    if rule.number == trial.rule.number:
        always = "it always fits" if rule.when is None else "everything that it asks for holds"
        return {**row, "outcome": "answered", "why": [always]}
    before = f"rule {trial.rule.number} goes before it"
    return {**row, "outcome": "passed over" if fits else "not tried", "why": [before]}


def _why(entry: Entry) -> str:
    """In words, what decided, rules aside."""
    about = entry.about
    if not entry.over and entry.plan is None:
        return "it is not answered yet"
    if about.unmatched:
        return "no rule fits"
    if about.trial is not None:
        return "a rule of the script answered" if about.trial.rule else "a template of the script failed"
    if about.refusal:
        return f"it was refused before any agent was asked: {about.refusal}"
    if not about.dialect:
        return "it is no request of any dialect"
    return f"agent {about.agent!r} is none of the script: it has no rules" if about.agent else "no agent was asked"


def _masked(entry: Entry, row: Row) -> Row:
    return dict(masking.mask(row, entry.hidden))
