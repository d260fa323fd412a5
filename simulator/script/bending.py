"""The faults of a script, at its top or in a rule: the same words as everywhere, each mistake with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ...spec.files import Spot
from ..aim import aim
from ..faults import known
from ..parameter import taken
from ..worded import Armament, armament
from .findings import Findings


def faults(
    rows: Sequence[str | Mapping[str, Any]], spot: Spot, found: Findings, of_a_rule: bool = False
) -> tuple[Armament, ...]:
    """Those that are told rightly. ``of_a_rule``: they bend an answer that is known, so they cannot bend what comes before it."""
    made = [_fault(row, (*spot, at), found, of_a_rule) for at, row in enumerate(rows)]
    return tuple(one for one in made if one is not None)


def _fault(row: str | Mapping[str, Any], spot: Spot, found: Findings, of_a_rule: bool) -> Armament | None:
    meant = _worded(row, spot, found) if isinstance(row, str) else _mapped(row, spot, found)
    if meant is None or not (of_a_rule and meant.fault.decides_first(meant.values)):
        return meant
    found.error(
        spot if isinstance(row, str) else (*spot, "fault"),
        f"{meant.fault.name!r} bends what comes before a rule answers; put it at the top of the script, with `agent`",
    )
    return None


def _worded(row: str, spot: Spot, found: Findings) -> Armament | None:
    try:
        return armament(row)
    except ValueError as error:
        found.error(spot, str(error))
    return None


def _mapped(row: Mapping[str, Any], spot: Spot, found: Findings) -> Armament | None:
    """Every word is tried by itself first, so that a mistake is told where it stands."""
    aimed = {word: value for word, value in row.items() if word not in ("fault", "parameters")}
    told = row.get("parameters", {})
    try:
        fault = known(row["fault"])
    except ValueError as error:
        found.error((*spot, "fault"), str(error))
        return None
    names = [one.name for one in fault.parameters]
    tries: list[tuple[Spot, bool, Callable[[], object]]] = [
        ((*spot, "parameters", word), word not in names, partial(taken, fault.name, fault.parameters, {word: value}))
        for word, value in told.items()
    ]
    tries += [((*spot, word), False, partial(aim, **{word: value})) for word, value in aimed.items()]
    right = [_tried(where, key, make, found) for where, key, make in tries]
    return armament(row["fault"], told, aimed) if all(right) else None


def _tried(spot: Spot, key: bool, make: Callable[[], object], found: Findings) -> bool:
    try:
        make()
    except ValueError as error:
        found.error(spot, str(error), key=key)
        return False
    return True
