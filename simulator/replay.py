"""Answers again as a decision log has it: the same requests get the same bytes at the same times, under any seed and clock.

Each request is looked up in the log; what chance decided comes from its line, and so does the time it arrived at, on which limits,
``Date``, ``Reset`` and expiry depend. A place (of a concurrent request, a turn, a slot) is given back where the log says so. What departs
from the log is told: as a warning on that request, in the log and in the journal.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..spec import BadFile
from ..spec.files import Problem, text_of
from . import pace_words
from .backend import Backend
from .decisions import FORMAT, Settings, fingerprint, summary
from .latency import Latency
from .pace_values import BadPace
from .plan import Plan
from .request import HttpRequest

T = TypeVar("T")
ROW: dict[str, type | tuple[type, ...]] = {
    "n": int,
    "scope": str,
    "at": (int, float),
    "asked": dict,
    "decided": list,
    "answer": (dict, type(None)),
}
"""The members of a request's line."""
NO_TIMES = (math.inf, -math.inf)


@dataclass(frozen=True)
class Row:
    """One request of the log. ``line``: in the file, from 1; ``over``: the line that says it has ended, if one does."""

    line: int
    scope: str
    at: float
    asked: tuple[tuple[str, str], ...]
    decided: tuple[tuple[str, Any], ...]
    answer: dict[str, Any] | None
    over: int | None = None


class Replay:
    """A log that is played. ``BadFile`` for what is none.

    ``told``: what departed from it, in words. ``same``: how many requests were answered as in it. ``latency``: of all agents that had
    none of their own when it was written.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self.settings, rows = _read(Path(path))
        self.latency = _latency(Path(path), self.settings)
        self.told: list[str] = []
        self.same = 0
        self.size = len(rows)
        self._unused = {row.line: row for row in rows}
        self._by_asked: dict[tuple[str, Any], deque[Row]] = {}
        for row in rows:
            self._by_asked.setdefault((row.scope, row.asked), deque()).append(row)
        self._reached = 0
        self._shift: float | None = None
        self._first = rows[0].at if rows else None
        self._row: Row | None = None
        self._left: deque[tuple[str, Any]] = deque()
        self._differs: list[str] = []
        self._open: dict[tuple[str, int], tuple[Row, Backend, Plan]] = {}
        self._ended: set[tuple[str, int]] = set()

    @property
    def summary(self) -> str:
        """How it went, in one line."""
        left = f"; {len(self._unused)} of its requests were not asked" if self._unused else ""
        told = f"; {len(self.told)} departure{'s'[: len(self.told) != 1]}" if self.told else ""
        return f"replay of {self.path}: {self.same} of {self.size} answered as in it{told}{left}"

    def decide(self, name: str, made: T) -> T:
        """What the log has in place of ``made``, where it has anything of that name."""
        if self._row is None:
            return made
        if not self._left or self._left[0][0] != name:
            self._differs.append(
                f"{name!r} is decided, where the log has {self._left[0][0] if self._left else 'nothing'!r}"
            )
            return made
        value = self._left.popleft()[1]
        if not isinstance(value, type(made)):
            self._differs.append(f"{name!r} is {value!r} in the log, which cannot be")
            return made
        return value

    def reply(self, scope: str, backend: Backend, asked: HttpRequest, now: float) -> Plan:
        """The answer of the log to that request, or a warning and one without the log."""
        backend.use(self)
        row, told = self._found(scope, asked)
        if row is None:
            return self._warned(backend.reply(asked, self._time(now)), told)
        self._reached = max(self._reached, row.line)
        self._release()
        self._shift = row.at - now
        self._row, self._left, self._differs = row, deque(row.decided), told
        try:
            plan = backend.reply(asked, row.at)
        finally:
            self._row = None
        self._open[scope, plan.ticket] = (row, backend, plan)
        if self._left:
            self._differs.append(f"{self._left[0][0]!r} of the log is not decided here")
        if row.answer is not None and summary(plan)["digest"] != row.answer.get("digest"):
            self._differs.append(_difference(row.answer, summary(plan)))
        if not self._differs:
            self.same += 1
            return plan
        return self._warned(plan, [f"line {row.line}: {'; '.join(self._differs)}"])

    def finished(self, scope: str, backend: Backend, plan: Plan) -> None:
        """The response is over; its place is given back when the log says so, or now if that is past."""
        if (scope, plan.ticket) not in self._open:
            backend.finished(plan)
            return
        self._ended.add((scope, plan.ticket))
        self._release()

    def _release(self) -> None:
        """Give back the places of all that has ended by the line that was reached."""
        for place, (row, backend, plan) in list(self._open.items()):
            past = row.over is not None and row.over < self._reached
            if past or (place in self._ended and (not self._unused or row.over is None)):
                backend.finished(plan)
                del self._open[place]
                self._ended.discard(place)

    def _found(self, scope: str, asked: HttpRequest) -> tuple[Row | None, list[str]]:
        """The line of that request, which is used up, and what is wrong with it."""
        print_ = tuple(fingerprint(asked).items())
        expected = next((row for row in self._unused.values() if row.scope == scope), None)
        rows = self._by_asked.get((scope, print_))
        if not rows:
            if expected is None:
                return None, ["nothing more is in the log; answered without it"]
            there = dict(expected.asked)
            wrong = [name for name, value in print_ if there.get(name) != value]
            what = f"{there.get('method')} {there.get('target')}"
            where = f"line {expected.line}: not the request that is asked there ({what})"
            return None, [f"{where}: it differs in {', '.join(wrong)}; answered without the log"]
        row = rows.popleft()
        del self._unused[row.line]
        early = expected is not None and expected is not row
        return row, [f"asked before the request of line {expected.line}"] if early and expected else []

    def _time(self, now: float) -> float:
        """The log's time at the backend's ``now``: it goes on from the last request that was found in it."""
        if self._shift is None:
            self._shift = 0.0 if self._first is None else self._first - now
        return now + self._shift

    def _warned(self, plan: Plan, told: list[str]) -> Plan:
        words = [f"replay: {one}" for one in told]
        self.told += words
        return plan._replace(about=plan.about._replace(warnings=(*plan.about.warnings, *words)))


def _difference(there: dict[str, Any], here: dict[str, Any]) -> str:
    for name in ("status", "bytes", "due_s"):
        if there.get(name) != here[name]:
            shown = "" if name == "due_s" else f": {here[name]}, not {there.get(name)}"
            return f"the answer is another one, in {name}{shown}"
    return "the answer is another one, in its bytes"


def _read(path: Path) -> tuple[Settings, list[Row]]:
    """The settings and requests of a log; a last line that was cut off is left out."""
    lines = text_of(path).split("\n")
    whole = [(number, _object(path, number, line)) for number, line in enumerate(lines[:-1], 1)]
    if not whole or whole[0][1].get("decisions") != FORMAT:
        raise BadFile(path, [Problem(1, 1, f'is no decision log: expected a line with "decisions": {FORMAT}')])
    head = whole[0][1]
    overs = {value["over"]: number for number, value in whole[1:] if isinstance(value.get("over"), int)}
    rows = list(_rows(path, whole[1:], overs))
    latency = head.get("latency")
    seed, clock = head.get("seed", 0), head.get("clock", "real")
    if not isinstance(seed, int) or not isinstance(clock, str) or not isinstance(latency, dict | None):
        raise BadFile(path, [Problem(1, 1, "expected a seed, a clock and a latency, or null")])
    return Settings(seed, clock, latency), rows


def _latency(path: Path, settings: Settings) -> Latency | None:
    try:
        return None if settings.latency is None else pace_words.latency(settings.latency)
    except BadPace as error:
        raise BadFile(path, [Problem(1, 1, f"latency: {error}")]) from None


def _rows(path: Path, whole: list[tuple[int, dict[str, Any]]], overs: dict[int, int]) -> Iterator[Row]:
    for number, value in whole:
        if "over" in value:
            continue
        for name, kind in ROW.items():
            if name not in value or not isinstance(value[name], kind) or value[name] in NO_TIMES:
                raise BadFile(path, [Problem(number, 1, f"{name}: missing, or not what a log has there")])
        decided = [tuple(one) for one in value["decided"] if isinstance(one, list) and len(one) == 2]
        if len(decided) != len(value["decided"]):
            raise BadFile(path, [Problem(number, 1, "decided: expected pairs of a name and a value")])
        asked = tuple((str(name), str(one)) for name, one in value["asked"].items())
        yield Row(number, value["scope"], value["at"], asked, tuple(decided), value["answer"], overs.get(value["n"]))


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        column = getattr(error, "colno", 1)
        raise BadFile(path, [Problem(number, column, "is not JSON")]) from None
    if not isinstance(value, dict):
        raise BadFile(path, [Problem(number, 1, "expected an object")])
    return value
