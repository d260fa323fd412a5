"""Which readings of the open questions a backend follows, through the control API."""

from __future__ import annotations

from typing import Any

from ...spec import Reading, ambiguities
from ..rulings import RULINGS, Ruling, wrong
from .world import Call


def rulings(call: Call) -> Any:
    """Every question with its readings and quirks: whether each can be switched, and which were chosen."""
    given = call.scope.backend.rulings.given
    rows = []
    for one in ambiguities():
        readings = [_shown(one.id, reading, quirk=reading in one.quirks) for reading in (*one.readings, *one.quirks)]
        rows.append({"id": one.id, "question": one.question, "in_force": given.get(one.id), "readings": readings})
    return {"in_force": dict(given), "questions": rows}


def rule(call: Call) -> Any:
    """All or nothing: one bad ruling changes none."""
    backend = call.scope.backend
    for question, name in call.body.items():
        mistake = wrong(question, str(name)) if name is not None or question not in RULINGS else None
        if mistake is not None:
            raise ValueError(mistake[0])
    later = {**backend.later_rulings, **call.body}
    backend.rule({question: str(name) for question, name in later.items() if name is not None})
    return {"in_force": dict(backend.rulings.given)}


def _shown(question: str, reading: Reading, *, quirk: bool) -> dict[str, Any]:
    found = RULINGS[question][reading.name]
    shown = {"name": reading.name, "says": reading.says, "quirk": quirk, "switched": isinstance(found, Ruling)}
    return shown if isinstance(found, Ruling) else {**shown, "why_not": found}
