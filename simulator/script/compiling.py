"""From a script's valid data to its nouns, with every template and regular expression compiled on the way."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ...spec import Dialect, Plan, Usage, did_you_mean
from ...spec.files import Spot
from .. import pace_words
from ..pace_values import BadPace
from . import fakes
from .bending import faults
from .findings import Findings
from .model import Agent, Call, Fail, Owner, Pause, Refuse, Result, Rule, Say, Script, ScriptKey, Step, When
from .pattern import BadPattern, Pattern, pattern
from .template import Expression, Known, Value, Wrong, compiled, expression

T = TypeVar("T")

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
ANSWERS = ("say", "chunks", "reply", "refuse")
STEPS = ("say", "text", "call", "result_of", "fail", "pause")
OF_A_CALL = ("args", "result", "takes")
LIMITS = ("requests_per_minute", "requests_per_day", "concurrent")
REQUEST = frozenset({"message", "metadata", "user", "stream", "dialect", "agent"})
SESSION = frozenset({"id", "turn", "said", "at"})
COUNT = frozenset({"turn", "rule"})
NESTED = re.compile(r"\((?:[^()\\]|\\.)*[+*](?:[^()\\]|\\.)*\)(?:[+*]|\{\d+,\})")
"""A repeated group that repeats something: some texts take such an expression for ever."""


@dataclass(frozen=True)
class Scope:
    """Where the reader is: the findings, and the names that templates know there."""

    found: Findings
    known: Known

    def value(self, data: Any, spot: Spot) -> Value:
        """The value at ``spot`` with its templates compiled; their mistakes are told."""
        if isinstance(data, str):
            made, wrong = compiled(data, self.found.place(spot), self.known)
            self.tell(wrong, spot)
            return made
        if isinstance(data, list):
            return [self.value(member, (*spot, at)) for at, member in enumerate(data)]
        if isinstance(data, dict):
            return {str(key): self.value(member, (*spot, key)) for key, member in data.items()}
        return data  # type: ignore[no-any-return]

    def tell(self, wrong: Sequence[Wrong], spot: Spot) -> None:
        for one in wrong:
            self.found.error(spot, one.message, word=one.word, line=one.line)


def script(data: Mapping[str, Any], whole: Mapping[str, Any], found: Findings, dialects: Sequence[Dialect]) -> Script:
    """The script in ``data``. ``whole``: the data as it came, for the names of what had to be left out."""
    agents = {name: _agent(name, row, whole, found) for name, row in data.get("agents", {}).items()}
    plans = {name: Plan(name, **row) for name, row in data.get("plans", {}).items()}
    keys = {name: _key(name, row or {}) for name, row in data.get("keys", {}).items()}
    replace, parallel = data.get("replace", False), data.get("parallel_turns", "queue")
    rulings = {question: str(name) for question, name in data.get("rulings", {}).items()}
    bent = faults(data.get("faults", ()), ("faults",), found)
    return Script(found.path, agents, keys, plans, replace, parallel, rulings, found.text, bent)


def seconds(duration: str | float) -> float:
    """``400ms``, ``2s``, ``1m`` or a number of seconds."""
    if not isinstance(duration, str):
        return 0.0 if math.isnan(duration) else float(duration)
    number, unit = re.fullmatch(r"([0-9.]+)(ms|s|m)?", duration).groups()  # type: ignore[union-attr]
    return float(number) * UNITS[unit or "s"]


def _key(name: str, row: Mapping[str, Any]) -> ScriptKey:
    limits = {limit: row[limit] for limit in LIMITS if limit in row}
    return ScriptKey(
        name, row.get("plan"), limits, row.get("balance"), row.get("agent"), bool(row.get("revoked", False))
    )


def _agent(name: str, row: Mapping[str, Any], whole: Mapping[str, Any], found: Findings) -> Agent:
    spot: Spot = ("agents", name)
    known_turns = list(_mapping(_mapping(_mapping(whole, "agents"), name), "turns"))
    start = row.get("start", known_turns[0] if known_turns else "")
    if start not in known_turns:
        found.error((*spot, "start"), f"no turn {start!r}{did_you_mean(start, known_turns) or _turns(known_turns)}")
    variables = row.get("variables", {})
    rules = [rule for turn in row["turns"].values() for rule in turn]
    kept = {*variables, *(name for rule in rules for name in _kept(rule))}
    known: dict[str, frozenset[str] | None] = {
        "request": REQUEST, "session": SESSION, "vars": frozenset(kept), "count": COUNT, "fake": fakes.NAMES,
        "tools": None, "capture": frozenset(), "now": None,
    }  # fmt: skip
    turns = {}
    for turn, rows in row["turns"].items():
        at: Spot = (*spot, "turns", turn)
        made = [_rule(number, one, (*at, number), known, found, known_turns) for number, one in enumerate(rows)]
        turns[turn] = tuple(rule for rule in made if rule is not None)
    ids = {dialect: (one,) if isinstance(one, str) else tuple(one) for dialect, one in row.get("ids", {}).items()}
    only = row.get("dialects")
    latency = _paced(row, "latency", pace_words.latency, spot, found)
    chunk = _paced(row, "chunk", pace_words.chunk, spot, found)
    return Agent(name, turns, start, variables, ids, None if only is None else tuple(only), latency, chunk)


def _paced(row: Mapping[str, Any], key: str, read: Callable[[Any], T], spot: Spot, found: Findings) -> T | None:
    """What ``key`` says of times or pieces; its mistakes are told where they stand."""
    try:
        return read(row[key]) if key in row else None
    except BadPace as bad:
        for one in bad.mistakes:
            if isinstance(row[key], str) and one.path:
                told = f"{'.'.join(map(str, one.path))}: {one.message}"
                found.error((*spot, key), told, word=one.word or str(one.path[0]))
            else:
                found.error((*spot, key, *one.path), one.message, key=one.key, word=one.word)
        return None


def _rule(at: int, row: Mapping[str, Any], spot: Spot, known: Known, found: Findings, turns: list[str]) -> Rule | None:
    """``None`` for one that is none; what else is wrong in it is told all the same."""
    told = _forms(row, spot, found)
    when, caught = _when(row["when"], (*spot, "when"), known, found) if "when" in row else (None, ())
    body = row.get("else", row)
    here: Spot = (*spot, "else") if "else" in row else spot
    scope = Scope(found, {**known, "capture": None if caught is None else frozenset(caught)})
    answers = [name for name in ANSWERS if name in body]
    if told and len(answers) != 1:
        expected = f"expected one of {', '.join(ANSWERS)}"
        found.error(here, f"{expected}, got {' and '.join(answers) or 'none'}")
    goto = body.get("goto")
    if goto is not None and goto not in turns:
        found.error((*here, "goto"), f"no turn {goto!r}{did_you_mean(goto, turns) or _turns(turns)}")
    said = [step for name in answers for step in _answer(name, body, here, scope)]
    made = Rule(
        at + 1,
        found.place(spot),
        when,
        tuple(said),
        _refuse(body["refuse"], (*here, "refuse"), scope) if "refuse" in body else None,
        Usage(**body["usage"]) if "usage" in body else None,
        {} if caught is None else _capture(body.get("capture", {}), (*here, "capture"), caught, found),
        {name: scope.value(value, (*here, "set", name)) for name, value in body.get("set", {}).items()},
        goto,
        _paced(body, "chunk", pace_words.chunk, here, found),
        Owner(**body["for"]) if "for" in body else None,
        faults(body.get("faults", ()), (*here, "faults"), found, of_a_rule=True),
    )
    return made if told and len(answers) == 1 else None


def _forms(row: Mapping[str, Any], spot: Spot, found: Findings) -> bool:
    """Whether a rule has either ``when`` or ``else``, and nothing beside the latter."""
    if ("when" in row) == ("else" in row):
        found.error(spot, "expected one of 'when' and 'else' in a rule" + (", not both" if "when" in row else ""))
        return False
    stray = sorted(set(row) - {"else"}) if "else" in row else []
    if stray:
        found.error((*spot, stray[0]), f"{stray[0]!r} stands beside 'else'; put it under it", key=True)
    return not stray


def _when(row: Mapping[str, Any], spot: Spot, known: Known, found: Findings) -> tuple[When, tuple[str, ...] | None]:
    """With the groups that its regex catches, ``None`` where that cannot be told."""
    regex = _regex(row["regex"], row.get("case", False), (*spot, "regex"), found) if "regex" in row else None
    condition: Expression | None = None
    if "if" in row:
        condition, wrong = expression(row["if"], found.place((*spot, "if")), known)
        Scope(found, known).tell(wrong, (*spot, "if"))
    tool = row.get("tool_result")
    told = tool if isinstance(tool, dict) else {"name": tool}
    when = When(
        exact=_texts(row.get("exact"), strip=True),
        contains=_texts(row.get("contains")),
        regex=regex,
        case=row.get("case", False),
        metadata=row.get("metadata"),
        first_turn=row.get("first_turn"),
        tool=told["name"],
        result=told.get("result"),
        any_result="result" not in told,
        variables=row.get("vars"),
        condition=condition,
    )
    if set(row) == {"case"}:
        found.error(spot, "'case' alone asks for nothing; use else for a rule that always fits")
    return when, regex.groups if regex else None if "regex" in row else ()


def _regex(source: str, case: bool, spot: Spot, found: Findings) -> Pattern | None:
    try:
        made = pattern(source, case, found.place(spot))
    except BadPattern as error:
        found.error(spot, str(error))
        return None
    if NESTED.search(source):
        found.warn(
            spot,
            "a repeated group repeats something: some messages will take this expression too long, and are answered 500",
        )
    return made


def _answer(name: str, body: Mapping[str, Any], spot: Spot, scope: Scope) -> tuple[Step, ...]:
    here: Spot = (*spot, name)
    match name:
        case "say":
            return (Say(scope.value(body["say"], here)),)
        case "chunks":
            return tuple(Say(scope.value(text, (*here, at)), whole=True) for at, text in enumerate(body["chunks"]))
        case "reply":
            made = [_step(step, (*here, at), scope) for at, step in enumerate(body["reply"])]
            return tuple(step for step in made if step is not None)
    return ()


def _step(row: str | Mapping[str, Any], spot: Spot, scope: Scope) -> Step | None:
    if isinstance(row, str):
        return Say(scope.value(row, spot), whole=True)
    kinds = [kind for kind in STEPS if kind in row]
    if len(kinds) != 1:
        hint = "; use 'after' for the pause before a step" if "pause" in kinds else ""
        scope.found.error(spot, f"expected one of {', '.join(STEPS)}, got {' and '.join(kinds) or 'none'}{hint}")
        return None
    kind = kinds[0]
    mine = {"call": OF_A_CALL, "result_of": ("result",)}.get(kind, ())
    stray = [key for key in OF_A_CALL if key in row and key not in mine]
    if stray:
        scope.found.error((*spot, stray[0]), f"{stray[0]!r} belongs to a 'call'", key=True)
    if kind == "result_of" and "result" not in row:
        scope.found.error(spot, "'result_of' needs a 'result'")
    if "takes" in row and "result" not in row and kind == "call":
        scope.found.error((*spot, "takes"), "'takes' is the wait for a 'result', and there is none", key=True)
    after = seconds(row.get("after", 0))
    value = scope.value(row[kind], (*spot, kind))
    match kind:
        case "pause":
            return Pause(seconds(row["pause"]) + after)
        case "call":
            args, result = scope.value(row.get("args", {}), (*spot, "args")), row.get("result")
            told = scope.value(result, (*spot, "result"))
            return Call(value, args, "result" in row, told, after, seconds(row.get("takes", 0)))
        case "result_of":
            return Result(value, scope.value(row.get("result"), (*spot, "result")), after)
        case "fail":
            return Fail(value, after)
    return Say(value, kind == "text", after)


def _refuse(row: str | Mapping[str, Any], spot: Spot, scope: Scope) -> Refuse:
    if isinstance(row, str):
        return Refuse(row)
    message = scope.value(row["message"], (*spot, "message")) if "message" in row else None
    return Refuse(row["name"], row.get("retry_after"), message)


def _capture(row: list[str] | Mapping[str, str], spot: Spot, caught: Sequence[str], found: Findings) -> dict[str, str]:
    pairs = row.items() if isinstance(row, Mapping) else [(name, name) for name in row]
    for at, (name, group) in enumerate(pairs):
        if group not in caught:
            here: Spot = (*spot, name if isinstance(row, Mapping) else at)
            near = did_you_mean(group, list(caught)) or (f"; it has {', '.join(caught)}" if caught else "")
            found.error(here, f"the rule's regex has no group {group!r}{near}")
    return {name: group for name, group in pairs if group in caught}


def _kept(rule: Mapping[str, Any]) -> list[str]:
    """The session variables that a rule sets."""
    body = rule.get("else", rule)
    return [*body.get("set", {}), *body.get("capture", {})]


def _texts(data: str | list[str] | None, strip: bool = False) -> tuple[str, ...] | None:
    if data is None:
        return None
    texts = (data,) if isinstance(data, str) else tuple(data)
    return tuple(text.strip() for text in texts) if strip else texts


def _mapping(data: Any, name: str) -> Mapping[str, Any]:
    inner = data.get(name) if isinstance(data, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _turns(turns: list[str]) -> str:
    return f"; there are {', '.join(map(str, turns))}" if turns else ""
