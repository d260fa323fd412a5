"""Plans by name: the dialect's own where its document has figures, else ours (``spec/presets.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from ..spec import Dialect, Plan, did_you_mean, presets
from .population import GENEROUS


def plan(dialect: Dialect, name: str) -> Plan:
    """The plan of that name in that dialect; ``ValueError`` names those there are."""
    documented = dialect.plans.get(name)
    if documented is not None and documented != Plan(name):
        return documented
    found = _ours().get(name, documented)
    if found is None:
        known = plan_names(dialect)
        raise ValueError(f"no plan {name!r}{did_you_mean(name, known) or '; there are ' + ', '.join(known)}")
    return found


def plan_names(dialect: Dialect) -> list[str]:
    """All that a key can be on by name: the documented ones first."""
    return list(dict.fromkeys((*dialect.plans, *_ours())))


def limited(plan: Plan, limits: Mapping[str, int | None]) -> Plan:
    """That plan with limits of its own where there are some (``requests_per_minute``, ``requests_per_day``, ``concurrent``).

    One without windows would leave nothing for the limit headers to say: it gets a generous one.
    """
    given: dict[str, Any] = {name: limit for name, limit in limits.items() if limit is not None}
    own = replace(plan, **given)
    if own.requests_per_minute is None and own.requests_per_day is None:
        return replace(own, requests_per_minute=GENEROUS.requests_per_minute)
    return own


def own(dialect: Dialect, name: str | None, limits: Mapping[str, int | None]) -> Plan:
    """The plan of a key that is made at run time: that of this name (``ValueError``) with these limits, or nothing but them."""
    if name is not None:
        return limited(plan(dialect, name), limits)
    return Plan("Own", **{word: limit for word, limit in limits.items() if limit is not None})


def figures(plan: Plan) -> str:
    """What a plan allows, in words."""
    said = (
        (plan.requests_per_minute, "a minute"),
        (plan.requests_per_day, "a day"),
        (plan.concurrent, "at once"),
    )
    return ", ".join(f"{count:,} {per}" for count, per in said if count is not None)


@cache
def _ours() -> Mapping[str, Plan]:
    return presets()
