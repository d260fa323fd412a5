"""What was heard, as the data of a script: an agent for each that was talked to, and in it every conversation turn by turn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...spec import Delta, Failure, ToolCall, ToolResult
from ..script.template import MARKS
from .exchange import Heard
from .reading import counted

START = "start"
INVENTED = "session-recorded-{number}"
"""The id of a session whose own one no reply has told; a client never gets to see it."""
TICK_S = 0.0001
"""The shortest pause between two pieces, in seconds: without one they would be a single piece."""
PLAIN = re.compile(r"[^\ud800-\udfff]*")

Data = dict[str, Any]


@dataclass(frozen=True)
class Talk:
    """One conversation: its session's id, and its turns in order."""

    session: str
    turns: tuple[Heard, ...]


def script(heard: Iterable[Heard]) -> Data:
    """A whole script of these turns, which are clean already; ``agents`` is empty if there are none."""
    everything = sorted(heard, key=lambda one: one.number)
    keys = dict.fromkeys(one.key for one in everything if one.key is not None)
    places = dict.fromkeys((one.dialect, one.agent) for one in everything)
    agents = {}
    for dialect, agent in places:
        shared = sum(other == agent for _, other in places) > 1
        mine = [one for one in everything if (one.dialect, one.agent) == (dialect, agent)]
        named = {"ids": {dialect: agent}} if shared else {}
        name = f"{agent} in {dialect}" if shared else agent
        agents[name] = {"dialects": [dialect], **named, "turns": turns(talks(mine))}
    return {"script": 1, **({"keys": {key: {} for key in keys}} if keys else {}), "agents": agents}


def talks(heard: Sequence[Heard]) -> list[Talk]:
    """The conversations with one agent, by the order in which they began. A request that names no session begins one."""
    found: dict[tuple[str | None, str], list[Heard]] = {}
    for one in heard:
        session = one.session or INVENTED.format(number=one.number)
        found.setdefault((one.key, session), []).append(one)
    return [Talk(session, tuple(turns)) for (_, session), turns in found.items()]


def turns(talks: Sequence[Talk]) -> Data:
    """A turn for all that was said first, and one for each thing that was said later. The last leads back to the start."""
    made: Data = {START: []}
    for number, talk in enumerate(talks, 1):
        names = [START, *(f"talk {number}, turn {at}" for at in range(2, len(talk.turns) + 1)), START]
        for at, heard in enumerate(talk.turns):
            goto = {"goto": names[at + 1]} if names[at + 1] != names[at] else {}
            made.setdefault(names[at], []).append({**rule(heard, talk.session if at == 0 else None), **goto})
    for rules in made.values():
        _mind_the_case(rules)
    return made


def rule(heard: Heard, session: str | None) -> Data:
    """The rule that answers as it was answered. ``session``: whose first turn this is; ``None`` for a later turn."""
    mine = {"session": session, **({"key": heard.key} if heard.key else {})}
    asked = {"when": {"exact": heard.message}, **({"for": mine} if session is not None else {})}
    if heard.refused is not None:
        told = {"message": _text(heard.refused.message), "retry_after": heard.refused.retry_after}
        said = {name: value for name, value in told.items() if value is not None}
        return {**asked, "refuse": {"name": heard.refused.name, **said} if said else heard.refused.name}
    usage = counted(heard.usage)
    return {**asked, "reply": list(steps(heard)), **({"usage": usage} if usage else {})}


def steps(heard: Heard) -> Iterator[str | Data]:
    """The reply, step by step, with the pauses between its pieces. What arrived together is said together."""
    pauses = _pauses(heard)
    events = [timed.event for timed in heard.events]
    at = 0
    while at < len(events):
        event, pause = events[at], pauses[at]
        after = {"after": _duration(pause)} if pause else {}
        following = events[at + 1] if at + 1 < len(events) else None
        match event:
            case Delta(text):
                said = _text(text)
                yield ({"text" if heard.streamed else "say": said, **after}) if after or not heard.streamed else said
            case ToolCall(name, args):
                made = {"call": _text(name), **({"args": _value(args)} if args else {})}
                if isinstance(following, ToolResult) and following.name == name:
                    takes = {"takes": _duration(pauses[at + 1])} if pauses[at + 1] else {}
                    made |= {"result": _value(following.result), **takes}
                    at += 1
                yield {**made, **after}
            case ToolResult(name, result):
                yield {"result_of": _text(name), "result": _value(result), **after}
            case Failure(message):
                yield {"fail": _text(message), **after}
        at += 1
    if heard.done_s is not None and (pauses[-1] or not events):
        yield {"pause": _duration(pauses[-1])}


def _pauses(heard: Heard) -> list[float]:
    """The pause before each event and before the end, in seconds; none between events of one piece."""
    made, before, piece = [], 0.0, -1
    for timed in heard.events:
        due = before if timed.piece == piece else max(_rounded(timed.at_s), before + TICK_S)
        made.append(due - before)
        before, piece = due, timed.piece
    if heard.done_s is not None:
        end = _rounded(heard.done_s)
        made.append(max(end, before + TICK_S) - before if _apart(heard) else 0.0)
    return made


def _apart(heard: Heard) -> bool:
    """Whether the end came in a piece of its own."""
    return not heard.events or heard.events[-1].piece != heard.done_piece


def _rounded(seconds: float) -> float:
    return round(max(0.0, seconds) / TICK_S) * TICK_S


def _duration(seconds: float) -> str:
    ms = seconds * 1000
    return f"{ms:.1f}ms".replace(".0ms", "ms") if ms < 100_000 else f"{seconds:.3f}s"


def _text(text: str | None) -> Any:
    """A text of a script that is rendered to ``text``: as it is, unless it would be taken for a template or has no UTF-8 form."""
    if text is None or (PLAIN.fullmatch(text) and not any(mark in text for mark in MARKS)):
        return text
    return '{{ "' + "".join(map(_escaped, text)) + '" }}'


def _escaped(char: str) -> str:
    code = ord(char)
    if (char.isalnum() and code < 128) or char in " .,:;!?-_/()[]<>=+*'":
        return char
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _value(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_value(member) for member in value]
    return _text(value) if isinstance(value, str) else value


def _mind_the_case(rules: Sequence[Data]) -> None:
    """Messages that differ in upper and lower case alone are told apart."""
    folded: dict[str, set[str]] = {}
    for one in rules:
        said = one["when"]["exact"].strip()
        folded.setdefault(said.casefold(), set()).add(said)
    for one in rules:
        if len(folded[one["when"]["exact"].strip().casefold()]) > 1:
            one["when"]["case"] = True
