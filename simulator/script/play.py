"""One turn of a script: a pure function of the agent, where the session stands, what was asked, and chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...spec import Delta, Event, Failure, ToolCall, ToolResult, Usage
from .. import meter
from ..agents import Answer
from ..cutting import BY_WORD, Chunk
from ..reply import Refusal
from ..request import Mistake
from ..worded import Armament
from .fakes import Draw, fakes
from .match import Facts, Miss, explain, groups, miss
from .model import Agent, Call, Fail, Pause, Refuse, Result, Rule, Say, Step
from .pattern import TooLong
from .template import Names, ScriptError, Value, render, render_text

KEPT = 200
"""How many variables a session may have."""
WAITS = ("rate_limited", "unavailable")
"""Refusals that say how long to wait, and how long unless the script says so, in seconds."""
WAIT_S = 1


Cut = Callable[[str, Chunk], Sequence[str]]
"""What cuts a text into the pieces of a stream."""


@dataclass(frozen=True)
class Cursor:
    """Where a session stands in its agent's script. ``taken``: how often each turn, and each rule of one, has answered."""

    turn: str
    answered: int = 0
    variables: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    taken: Mapping[tuple[str, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """One request, in the words that templates use for it. ``now``: ISO 8601, UTC."""

    message: str
    session: str
    dialect: str
    agent: str
    now: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    user: str | None = None
    stream: bool = False
    said: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Trial:
    """Everything that one turn was decided by; it can be played again, to explain it.

    ``chance``: makes the turn's draws from the beginning. ``rule``: the one that answered, if any did.
    """

    agent: Agent
    cursor: Cursor
    told: Told
    chance: Callable[[], Draw]
    rule: Rule | None = None


@dataclass(frozen=True)
class Played:
    """What becomes of a turn, and where the session stands after it. ``log``: more for the log than for the client.

    ``astray``: the script had no answer (no rule fits, a template failed), and the turn counts for nothing. ``unmatched``: no
    rule fits. ``rule``: the one that answered. ``faults``: its own, each with its place.
    """

    answer: Answer | Refusal
    cursor: Cursor
    log: str = ""
    astray: bool = False
    unmatched: bool = False
    rule: Rule | None = None
    faults: tuple[tuple[str, Armament], ...] = ()


def begin(agent: Agent) -> Cursor:
    """Where a session of that agent begins."""
    return Cursor(agent.start, variables=dict(agent.variables))


def play(agent: Agent, cursor: Cursor, told: Told, draw: Draw, cut: Cut | None = None) -> Played:
    """The answer to one turn; ``cut``: where ``None``, texts are left whole. What goes wrong (no rule fits, a template fails) is a refusal, and the session stays as it was."""
    try:
        return _play(agent, cursor, told, draw, cut)
    except ScriptError as error:
        note, words = f"script error at {error.place}", None
        if isinstance(error, TooLong):
            note = f"{note}: {error.message}"
            words = f"chatproof's script: {error.place}: {error.message}"
        return Played(Refusal("internal_error", words=words, note=note), cursor, str(error), astray=True)


def tried(agent: Agent, cursor: Cursor, told: Told, names: Names) -> tuple[list[Rule], list[Miss]]:
    """The rules that fit, up to the first that is meant for anybody, and those before it that do not, with the reasons."""
    facts = Facts(told.message, told.metadata, cursor.answered == 0, cursor.variables, cursor.results, names)
    fitting: list[Rule] = []
    misses: list[Miss] = []
    for rule in agent.turns[cursor.turn]:
        missed = miss(rule, facts)
        if missed is not None:
            misses.append(missed)
            continue
        fitting.append(rule)
        if rule.owner is None:
            break
    return fitting, misses


def retried(trial: Trial) -> tuple[list[Rule], list[Miss]]:
    """The rules that fit and those that do not, once more; a condition that fails again counts as neither."""
    names = _names(trial.agent, trial.cursor, trial.told, trial.chance())
    try:
        return tried(trial.agent, trial.cursor, trial.told, names)
    except ScriptError:
        return [], []


def named(agent: Agent, told: Told, draw: Draw, taken: Callable[[str], bool]) -> str | None:
    """The id that the script has for a session which begins now and which the request does not name; ``None`` if it has none left."""
    if all(rule.owner is None or rule.owner.session is None for rule in agent.turns[agent.start]):
        return None
    cursor = begin(agent)
    try:
        fitting, _ = tried(agent, cursor, told, _names(agent, cursor, told, draw))
    except ScriptError:
        return None
    if not fitting or fitting[0].owner is None:
        return None
    owners = [rule.owner for rule in fitting if rule.owner is not None]
    for owner in sorted(owners, key=lambda one: one.key != told.key):
        if owner.session is not None and not taken(owner.session):
            return owner.session
    return None


def _play(agent: Agent, cursor: Cursor, told: Told, draw: Draw, cut: Cut | None) -> Played:
    names = _names(agent, cursor, told, draw)
    fitting, misses = tried(agent, cursor, told, names)
    if fitting:
        return _take(agent, max(fitting, key=lambda rule: _rank(rule, told)), cursor, told, names, cut)
    what = f"no rule of agent {agent.name!r}, turn {cursor.turn!r}, fits"
    lines = list(explain(misses))
    whole = f"chatproof's script: {what}. Tried, the nearest first: {' | '.join(lines)}"
    note = f"unmatched: {what}; {len(misses)} tried, the nearest is {lines[0]}"
    log = "\n".join([f"unmatched: {what}; the nearest first", *(f"    {line}" for line in lines)])
    return Played(Refusal("internal_error", words=whole, note=note), cursor, log, astray=True, unmatched=True)


def _rank(rule: Rule, told: Told) -> tuple[bool, bool]:
    """How much a rule is meant for this session and this key; of equals the first answers."""
    owner = rule.owner
    return owner is not None and owner.session == told.session, owner is not None and owner.key == told.key


def _take(agent: Agent, rule: Rule, cursor: Cursor, told: Told, names: dict[str, Any], cut: Cut | None) -> Played:
    caught = groups(rule, told.message)
    variables = {**cursor.variables, **{name: caught[group] for name, group in rule.capture.items()}}
    taken = dict(cursor.taken)
    for counted in ((cursor.turn, 0), (cursor.turn, rule.number)):
        taken[counted] = taken.get(counted, 0) + 1
    count = {"turn": taken[(cursor.turn, 0)], "rule": taken[(cursor.turn, rule.number)]}
    names |= {"capture": caught, "vars": variables, "count": count}
    for name, value in rule.set.items():
        variables[name] = render(value, names)
    if len(variables) > KEPT:
        raise ScriptError(rule.place, f"a session keeps at most {KEPT} variables")
    after = replace(
        cursor, turn=rule.goto or cursor.turn, answered=cursor.answered + 1, variables=variables, taken=taken
    )
    log = f"turn {cursor.turn!r} rule {rule.number}"
    bent = tuple((rule.place, one) for one in rule.faults)
    if rule.refuse is not None:
        return Played(_refusal(rule.refuse, names), after, log, rule=rule, faults=bent)
    chunk = rule.chunk or agent.chunk or BY_WORD
    steps = tuple(_events(rule.steps, names, cut and (lambda text: cut(text, chunk))))
    results = {event.name: event.result for _, event in steps if isinstance(event, ToolResult)}
    ends = sum(step.after_s for step in rule.steps[_last(rule.steps) :])
    answer = Answer(steps, _usage(rule.usage, told.message, steps), end_s=ends, latency=agent.latency)
    return Played(answer, replace(after, results={**cursor.results, **results}), log, rule=rule, faults=bent)


def _names(agent: Agent, cursor: Cursor, told: Told, draw: Draw) -> dict[str, Any]:
    """What templates can speak of; ``Known`` names of ``compiling.py`` are the same."""
    turn = cursor.turn
    return {
        "request": {
            "message": told.message, "metadata": told.metadata, "user": told.user, "stream": told.stream,
            "dialect": told.dialect, "agent": told.agent,
        },
        "session": {"id": told.session, "turn": cursor.answered + 1, "said": list(told.said), "at": turn},
        "vars": dict(cursor.variables),
        "capture": {},
        "count": {"turn": cursor.taken.get((turn, 0), 0) + 1, "rule": 0},
        "tools": dict(cursor.results),
        "fake": fakes(draw),
        "now": told.now,
    }  # fmt: skip


def _events(
    steps: tuple[Step, ...], names: Names, cut: Callable[[str], Sequence[str]] | None
) -> Iterator[tuple[float, Event]]:
    pause = 0.0
    for step in steps:
        pause += step.after_s
        match step:
            case Say(text, whole):
                said = render_text(text, names)
                for piece in (said,) if whole or cut is None else cut(said):
                    yield pause, Delta(piece)
                    pause = 0.0
            case Call():
                yield from _called(step, pause, names)
                pause = 0.0
            case Result(name, result):
                yield pause, _result(render_text(name, names), result, names)
                pause = 0.0
            case Fail(message):
                yield pause, Failure(render_text(message, names))
                return
            case Pause():
                pass


def _called(step: Call, pause: float, names: Names) -> Iterator[tuple[float, Event]]:
    name, args = render_text(step.name, names), render(step.args, names)
    yield pause, ToolCall(name, args if isinstance(args, dict) else {})
    if step.answered:
        yield step.takes_s, _result(name, step.result, names)


def _result(name: str, told: Value, names: Names) -> ToolResult:
    """A tool's answer, which the steps behind it may speak of."""
    made = ToolResult(name, render(told, names))
    names["tools"][name] = made.result
    return made


def _last(steps: tuple[Step, ...]) -> int:
    """The place behind the last step that says anything: what pauses are left come before the end."""
    return max((at for at, step in enumerate(steps, 1) if not isinstance(step, Pause)), default=0)


def _refusal(refuse: Refuse, names: Names) -> Refusal:
    said = None if refuse.message is None else render_text(refuse.message, names)
    wait = refuse.retry_after
    if wait is None and refuse.name in WAITS:
        wait = WAIT_S
    mistake = None
    if refuse.name == "invalid_request":
        mistake = Mistake("message", said or "is not accepted", "value_error", ("body", "message"))
        said = None
    return Refusal(refuse.name, mistake=mistake, retry_after=wait, words=said)


def _usage(given: Usage | None, message: str, steps: tuple[tuple[float, Event], ...]) -> Usage | None:
    """The usage of the script, with what it leaves out filled in so that the parts add up."""
    if given is None:
        return None
    counted = meter.measure(message, (event for _, event in steps))
    used_in, used_out, total = given.input, given.output, given.total
    if used_in is None and total is not None:
        used_in = max(0, total - used_out) if used_out is not None else min(counted.input or 0, total)
    if used_out is None and total is not None:
        used_out = max(0, total - (used_in or 0))
    used_in = counted.input if used_in is None else used_in
    used_out = counted.output if used_out is None else used_out
    return Usage(used_in, used_out, total if total is not None else (used_in or 0) + (used_out or 0))
