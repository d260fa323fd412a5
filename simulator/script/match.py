"""Whether a rule fits a turn, and in words why it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from .model import Rule, When
from .template import Expression, Names, ScriptError, holds

SHOWN = 80
"""How many characters of a message or value an explanation shows."""
TOLD = 10
"""How many rules an explanation tells of."""


@dataclass(frozen=True)
class Facts:
    """What rules may look at: the message, the request's metadata, and what the session knows.

    ``results``: the last result of each tool that answered in this session. ``names``: for conditions that are expressions.
    """

    message: str
    metadata: Mapping[str, Any]
    first_turn: bool
    variables: Mapping[str, Any]
    results: Mapping[str, Any]
    names: Names


Ask = Callable[[When, Facts], str | None]


@dataclass(frozen=True)
class Miss:
    """A rule that did not fit: why, and how near it came (the fewer conditions failed the nearer, then the more alike)."""

    rule: Rule
    why: tuple[str, ...]
    alike: float


def groups(rule: Rule, message: str) -> dict[str, str]:
    """What the named groups of a rule's regular expression caught; a group that took no part is empty text."""
    if rule.when is None or rule.when.regex is None:
        return {}
    found = rule.when.regex.search(message)
    return {name: text or "" for name, text in found.groupdict().items()} if found else {}


def miss(rule: Rule, facts: Facts) -> Miss | None:
    """Why this rule does not fit, or ``None`` if it does."""
    if rule.when is None:
        return None
    failed: list[str] = []
    for ask in ASKS:
        why = _asked(ask, rule.when, facts, bool(failed))
        if why is not None:
            failed.append(why)
    return Miss(rule, tuple(failed), _alike(rule.when, facts.message)) if failed else None


def _asked(ask: Ask, when: When, facts: Facts, missed: bool) -> str | None:
    """``missed``: another condition does not hold, so that one which cannot be told is no failure of the script."""
    try:
        return ask(when, facts)
    except ScriptError as error:
        if not missed:
            raise
        return f"{error.message} ({error.place})"


def says(when: When, message: str) -> bool:
    """Whether ``message`` is one of the texts of ``exact``."""
    return _fold(message.strip(), when.case) in _folded(when.exact or (), when.case)


def has(when: When, message: str) -> bool:
    """Whether one of the texts of ``contains`` is in ``message``."""
    said = _fold(message, when.case)
    return any(text in said for text in _folded(when.contains or (), when.case))


def nearest_first(misses: list[Miss]) -> list[Miss]:
    """The misses in the order in which a reader wants them."""
    return sorted(misses, key=lambda one: (len(one.why), -one.alike, one.rule.number))


def explain(misses: list[Miss]) -> Iterator[str]:
    """One line a rule, the nearest first."""
    ordered = nearest_first(misses)
    for one in ordered[:TOLD]:
        yield f"rule {one.rule.number} ({one.rule.place}): {'; '.join(one.why)}"
    if len(ordered) > TOLD:
        yield f"and {len(ordered) - TOLD} more"


def within(wanted: Any, got: Any) -> bool:
    """Whether ``got`` is what is wanted; of a mapping only the members that are named must be there."""
    if isinstance(wanted, Mapping):
        return isinstance(got, Mapping) and all(key in got and within(value, got[key]) for key, value in wanted.items())
    same_kind = type(wanted) is type(got) or (_number(wanted) and _number(got))
    return same_kind and bool(wanted == got)


def shown(value: Any) -> str:
    """A value in an explanation, cut short."""
    text = repr(value[: SHOWN + 1] if isinstance(value, str) else value)
    return text if len(text) <= SHOWN + 2 else f"{text[:SHOWN]}…"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fold(text: str, case: bool) -> str:
    return text if case else text.casefold()


@lru_cache(maxsize=4096)
def _folded(texts: tuple[str, ...], case: bool) -> tuple[str, ...]:
    return tuple(_fold(text, case) for text in texts)


def _exact(when: When, facts: Facts) -> str | None:
    if when.exact is None or says(when, facts.message):
        return None
    return f"exact: the message is {shown(facts.message)}, not {_any(when.exact)}"


def _contains(when: When, facts: Facts) -> str | None:
    if when.contains is None or has(when, facts.message):
        return None
    return f"contains: {_any(when.contains)} is not in {shown(facts.message)}"


def _regex(when: When, facts: Facts) -> str | None:
    if when.regex is None or when.regex.search(facts.message):
        return None
    return f"regex: {shown(when.regex.source)} does not match {shown(facts.message)}"


def _metadata(when: When, facts: Facts) -> str | None:
    return None if when.metadata is None else _members("metadata", when.metadata, facts.metadata)


def _variables(when: When, facts: Facts) -> str | None:
    return None if when.variables is None else _members("vars", when.variables, facts.variables)


def _first_turn(when: When, facts: Facts) -> str | None:
    if when.first_turn is None or when.first_turn == facts.first_turn:
        return None
    return f"first_turn: this is {'' if facts.first_turn else 'not '}the first turn of its session"


def _tool_result(when: When, facts: Facts) -> str | None:
    if when.tool is None:
        return None
    if when.tool not in facts.results:
        return f"tool_result: {shown(when.tool)} has not answered in this session"
    if when.any_result or within(when.result, facts.results[when.tool]):
        return None
    return f"tool_result: {shown(when.tool)} answered {shown(facts.results[when.tool])}, not {shown(when.result)}"


def _condition(when: When, facts: Facts) -> str | None:
    if when.condition is None or holds(when.condition, facts.names):
        return None
    return f"if: {_inner(when.condition)} is not true"


def _members(name: str, wanted: Mapping[str, Any], got: Mapping[str, Any]) -> str | None:
    for key, value in wanted.items():
        if key not in got:
            return f"{name}: there is no {key!r}, expected {shown(value)}"
        if not within(value, got[key]):
            return f"{name}: {key!r} is {shown(got[key])}, not {shown(value)}"
    return None


def _inner(condition: Expression) -> str:
    return condition.source.removeprefix("{{").removesuffix("}}").strip()


def _any(texts: tuple[str, ...]) -> str:
    return " or ".join(shown(text) for text in texts[:3]) + (" or …" if len(texts) > 3 else "")


def _alike(when: When, message: str) -> float:
    """How much the message resembles what was asked for, from 0 to 1."""
    words = (*(when.exact or ()), *(when.contains or ()))[:20]
    said = message[:200].casefold()
    parts = [said, *re.findall(r"\w+", said)[:20]]
    return max(
        (SequenceMatcher(None, word[:200].casefold(), part).ratio() for word in words for part in parts), default=0.0
    )


ASKS: tuple[Ask, ...] = (
    _exact,
    _contains,
    _regex,
    _metadata,
    _first_turn,
    _tool_result,
    _variables,
    _condition,
)
"""The cheapest first; a condition that is an expression comes last, so that the others can guard it."""
