"""What only a whole script can tell: rules nobody reaches, turns nobody goes to, names that clash, events a dialect cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...spec import Dialect, did_you_mean, names
from ...spec import dialect as packaged
from ...spec.files import Spot
from .. import population
from ..aim import nowhere, places
from ..plans import figures, plan, plan_names
from ..rulings import wrong
from ..worded import Armament
from .findings import Findings
from .match import has, says, within
from .model import Agent, Call, Fail, Result, Rule, Say, Script, Step, When
from .pattern import Pattern, TooLong

LOOK_BACK = 500
"""With how many rules before it a rule is compared."""


def lint(script: Script, found: Findings, dialects: Sequence[Dialect]) -> None:
    """Tell ``found`` of everything that ``script`` gets wrong as a whole. ``dialects``: those it is served in."""
    _rulings(script, found)
    _keys(script, found, dialects)
    _clashes(script, found, dialects)
    known = places([*(packaged(name) for name in names()), *dialects])
    _aims(script.faults, ("faults",), found, known)
    for agent in script.agents.values():
        spot: Spot = ("agents", agent.name)
        _dialects(agent, spot, found, dialects)
        for turn in _dead(agent):
            found.warn((*spot, "turns", turn), f"nobody goes to turn {turn!r}", key=True)
        for turn, rules in agent.turns.items():
            _turn(agent, turn, rules, (*spot, "turns", turn), found)
            for rule in rules:
                place: Spot = (*spot, "turns", turn, rule.number - 1)
                _said(agent, rule, place, found, dialects)
                _aims(rule.faults, (*place, *(("else",) if rule.when is None else ()), "faults"), found, known)


def _keys(script: Script, found: Findings, dialects: Sequence[Dialect]) -> None:
    agents = [*found.located.data["agents"], *(() if script.replace else population.AGENTS)]
    plans = sorted({*script.plans, *(plan for dialect in dialects for plan in plan_names(dialect))})
    for key in script.keys.values():
        spot: Spot = ("keys", key.name)
        if key.agent is not None and key.agent not in agents:
            near = did_you_mean(key.agent, agents) or f"; there are {', '.join(agents)}"
            found.error((*spot, "agent"), f"no agent {key.agent!r}{near}")
        if key.plan is None or key.plan in script.plans:
            continue
        if key.plan not in plans:
            near = did_you_mean(key.plan, plans) or f"; there are {', '.join(plans)}"
            found.error((*spot, "plan"), f"no plan {key.plan!r}{near}")
        else:
            _ours(found, (*spot, "plan"), key.plan, dialects)


def _ours(found: Findings, spot: Spot, name: str, dialects: Sequence[Dialect]) -> None:
    """Where no document has a plan of that name, its figures are ours."""
    without = [dialect for dialect in dialects if name not in dialect.plans]
    if without:
        told = figures(plan(without[0], name))
        places = _and([dialect.name for dialect in without])
        found.warn(spot, f"no document of {places} has a plan {name!r}: there it is chatproof's own, {told}")


def _rulings(script: Script, found: Findings) -> None:
    for question, name in script.rulings.items():
        mistake = wrong(question, name)
        if mistake is not None:
            found.error(("rulings", question), mistake[0], key=mistake[1])


def _aims(faults: Sequence[Armament], spot: Spot, found: Findings, known: Mapping[str, Sequence[str]]) -> None:
    """Faults that are aimed at a dialect or an operation that there is none of; nothing where some are missing for their mistakes."""
    rows = _listed(found.located.data, spot)
    for at, (row, meant) in enumerate(zip(rows, faults, strict=True) if len(rows) == len(faults) else ()):
        wrong = nowhere(meant.aim, known)
        if wrong is not None:
            found.error((*spot, at) if isinstance(row, str) else (*spot, at, wrong[0]), wrong[1])


def _listed(data: Any, spot: Spot) -> Sequence[Any]:
    try:
        for part in spot:
            data = data[part]
    except (LookupError, TypeError):
        return ()
    return data if isinstance(data, list) else ()


def _clashes(script: Script, found: Findings, dialects: Sequence[Dialect]) -> None:
    """Two agents under one id."""
    owners: dict[tuple[str, str], str] = {}
    told: set[tuple[str, str]] = set()
    for agent in script.agents.values():
        for dialect in dialects:
            for shown in ids(agent, dialect):
                owner = owners.setdefault((dialect.name, shown), agent.name)
                if owner != agent.name and (owner, agent.name) not in told:
                    told.add((owner, agent.name))
                    spot: Spot = ("agents", agent.name, "ids", dialect.name)
                    found.error(spot, f"id {shown!r} is taken by agent {owner!r} in {dialect.name}", key=True)


def ids(agent: Agent, dialect: Dialect) -> tuple[str, ...]:
    """The ids under which an agent is found in a dialect: those it was given, else its name, with the dialect's prefix and without."""
    if not agent.lives_in(dialect.name):
        return ()
    given = agent.ids.get(dialect.name)
    return given or tuple(dict.fromkeys(((dialect.agent_prefix or "") + agent.name, agent.name)))


def _dialects(agent: Agent, spot: Spot, found: Findings, dialects: Sequence[Dialect]) -> None:
    known = sorted({*names(), *(dialect.name for dialect in dialects)})
    prefixes = {dialect.name: dialect.agent_prefix for dialect in dialects}
    places: list[tuple[Spot, str]] = [((*spot, "ids", name), name) for name in agent.ids]
    places += [((*spot, "dialects", at), name) for at, name in enumerate(agent.dialects or ())]
    for place, name in places:
        if name not in known:
            near = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            found.error(place, f"no dialect {name!r}{near}", key="ids" in place[2:3])
    for name, shown in agent.ids.items():
        prefix = prefixes.get(name)
        if prefix and not all(one.startswith(prefix) for one in shown):
            found.warn(
                (*spot, "ids", name),
                f"an agent id of {name} begins with {prefix!r}: at the shared root nobody finds it",
            )
        if not agent.lives_in(name):
            found.warn((*spot, "ids", name), f"the agent does not live in {name}, see its 'dialects'", key=True)


def _dead(agent: Agent) -> list[str]:
    """Turns that no way leads to from the start; none while a way leads nowhere, since it was meant for one of them."""
    ways = [agent.start, *(rule.goto for rules in agent.turns.values() for rule in rules if rule.goto is not None)]
    if any(turn not in agent.turns for turn in ways):
        return []
    reached, todo = {agent.start}, [agent.start]
    while todo:
        for rule in agent.turns.get(todo.pop(), ()):
            if rule.goto is not None and rule.goto not in reached:
                reached.add(rule.goto)
                todo.append(rule.goto)
    return [turn for turn in agent.turns if turn not in reached]


def _turn(agent: Agent, turn: str, rules: Sequence[Rule], spot: Spot, found: Findings) -> None:
    """Rules that can never answer."""
    for at, rule in enumerate(rules):
        place = (*spot, rule.number - 1)
        before = (one for one in rules[max(0, at - LOOK_BACK) : at] if one.owner in (None, rule.owner))
        earlier = next((other for other in before if covers(other.when, rule.when)), None)
        if earlier is not None:
            why = "always fits" if earlier.when is None else "fits whenever this one does"
            found.warn(place, f"this rule is never reached: rule {earlier.number} of turn {turn!r} {why}")
        elif rule.when is not None and rule.when.first_turn and turn != agent.start:
            found.warn(place, f"this rule is never reached: a session's first turn is {agent.start!r}")


def covers(first: When | None, second: When | None) -> bool:
    """Whether ``first`` fits whenever ``second`` does, as far as can be told without trying; in doubt it does not."""
    if first is None:
        return True
    return second is not None and all(_implied(first, second))


def _implied(first: When, second: When) -> Iterator[bool]:
    """For each condition of ``first``: whether ``second`` asks for at least as much."""
    yield first.case <= second.case or not (first.exact or first.contains or first.regex)
    if first.exact is not None:
        yield second.exact is not None and all(says(first, text) for text in second.exact)
    if first.contains is not None:
        texts = second.exact or second.contains or ()
        yield bool(texts) and all(has(first, text) for text in texts)
    if first.regex is not None:
        same = second.regex is not None and second.regex.source == first.regex.source
        yield same or bool(second.exact and all(_finds(first.regex, text) for text in second.exact))
    if first.metadata is not None:
        yield second.metadata is not None and within(first.metadata, second.metadata)
    if first.variables is not None:
        yield second.variables is not None and within(first.variables, second.variables)
    if first.first_turn is not None:
        yield second.first_turn == first.first_turn
    if first.tool is not None:
        narrower = first.any_result or (not second.any_result and within(first.result, second.result))
        yield second.tool == first.tool and narrower
    if first.condition is not None:
        yield second.condition is not None and second.condition.source == first.condition.source


def _finds(regex: Pattern, text: str) -> bool:
    try:
        return regex.search(text) is not None
    except TooLong:
        return False


def _said(agent: Agent, rule: Rule, spot: Spot, found: Findings, dialects: Sequence[Dialect]) -> None:
    """Steps and refusals that a dialect has no words for."""
    here = [dialect for dialect in dialects if agent.lives_in(dialect.name)]
    body: Spot = (*spot, "else") if rule.when is None else spot
    for kind, event, consequence in (
        (Call, "tool_call", "calls of tools are not told in"),
        (Fail, "failure", "an answer cannot break off: 500 instead, in"),
    ):
        at = _first(rule.steps, kind)
        silent = [d.name for d in here if all(row.event != event for row in d.stream)]
        if at is not None and silent:
            found.warn((*body, "reply", at), f"{consequence} {_and(silent)}")
    at = _first(rule.steps, Fail)
    if at is not None and at + 1 < len(rule.steps):
        found.warn((*body, "reply", at + 1), "nothing is said after 'fail'")
    called = {step.name for step in rule.steps if isinstance(step, Call) and isinstance(step.name, str)}
    for at, step in enumerate(rule.steps):
        if isinstance(step, Result) and isinstance(step.name, str) and step.name not in called:
            found.warn(
                (*body, "reply", at),
                f"nothing calls {step.name!r} in this reply{did_you_mean(step.name, list(called))}",
            )
    if rule.refuse is not None:
        name = rule.refuse.name
        silent = [d.name for d in here if not d.errors[name].documented]
        if silent:
            found.warn((*body, "refuse"), f"{name!r} is not documented in {_and(silent)}")
        if rule.usage is not None:
            found.warn((*body, "usage"), "a refusal has no usage", key=True)
    if rule.chunk is not None and not any(isinstance(step, Say) and not step.whole for step in rule.steps):
        found.warn((*body, "chunk"), "'chunk' is how the text of 'say' is cut, and there is none", key=True)
    usage = rule.usage
    if usage and None not in (usage.input, usage.output, usage.total):
        parts = (usage.input or 0) + (usage.output or 0)
        if parts != usage.total:
            found.warn((*body, "usage", "total"), f"total is not input and output together, {parts}")


def _first(steps: Sequence[Step], kind: type) -> int | None:
    return next((at for at, step in enumerate(steps) if isinstance(step, kind)), None)


def _and(words: Sequence[str]) -> str:
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]
