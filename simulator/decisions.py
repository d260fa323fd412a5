"""The decision log: everything that chance and time decided about each answer, as JSON Lines. ``replay.py`` reads it back.

The first line says under which settings; then comes a line for each request in the order of arrival, and one (``over``) when its
response has ended, since a place that is given back changes what comes later. What a request looked like is told by digests; keys
are masked. What becomes part of a key that a request makes is among the decisions: it could not be repeated without.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from . import masking, pace_words
from .backend import Backend
from .journal_file import version
from .plan import Plan
from .request import HttpRequest, bearer

T = TypeVar("T")
FORMAT = 1
"""The version of the file's format."""
NOT_READ = frozenset(
    {"authorization", "host", "user-agent", "accept-encoding", "accept-language", "connection", "content-length", "date",
     "traceparent", "tracestate", "x-request-id"}
)  # fmt: skip
"""Headers in which two requests may differ and be the same; the key of ``authorization`` is compared apart."""

Asked = Mapping[str, str]


@dataclass(frozen=True)
class Settings:
    """What a log says of the backend that wrote it. ``latency``: of all its agents, as ``pace_words.latency`` reads it."""

    seed: int
    clock: str
    latency: Mapping[str, Any] | None = None


class Recorder:
    """Writes the log, anew. A context manager; ``OSError`` where the file cannot be opened.

    A disk that fails later stops the log and not the backend; ``complain`` hears of it, once.
    """

    def __init__(self, path: Path | str, settings: Settings, complain: Callable[[str], None]) -> None:
        self._path, self._complain = path, complain
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115  (closed by its own block)
        self._decided: list[tuple[str, Any]] | None = None
        self._numbers: dict[tuple[str, int], int] = {}
        self._last = 0
        told = {"seed": settings.seed, "clock": settings.clock, "latency": settings.latency}
        self._write({"decisions": FORMAT, "chatproof": version(), **told})

    def decide(self, name: str, made: T) -> T:
        """Note what was decided; outside a request nothing is."""
        if self._decided is not None:
            self._decided.append((name, made))
        return made

    def reply(self, scope: str, backend: Backend, asked: HttpRequest, now: float) -> Plan:
        """What the backend answers, noted."""
        backend.use(self)
        self._decided = []
        plan = None
        try:
            plan = backend.reply(asked, now)
        finally:
            decided, self._decided = self._decided, None
            self._last += 1
            row = {"n": self._last, "scope": scope, "at": now, "asked": fingerprint(asked), "decided": decided}
            self._write({**row, "answer": summary(plan) if plan else None})
        self._numbers[scope, plan.ticket] = self._last
        return plan

    def finished(self, scope: str, backend: Backend, plan: Plan) -> None:
        """The response is over."""
        number = self._numbers.pop((scope, plan.ticket), None)
        if number is not None:
            self._write({"over": number})
        backend.finished(plan)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def _write(self, row: Mapping[str, Any]) -> None:
        if self._file.closed:
            return
        try:
            self._file.write(json.dumps(row) + "\n")
            self._file.flush()
        except OSError as error:
            self._complain(f"the decision log stops: {self._path}: {error.strerror or error}")
            self._close()

    def _close(self) -> None:
        try:
            self._file.close()
        except OSError:
            return


def settings_of(backend: Backend, clock: str) -> Settings:
    """What a log of that backend says of it."""
    latency = None if backend.latency is None else pace_words.spelt(backend.latency)
    return Settings(backend.seed, clock, latency)


def fingerprint(asked: HttpRequest) -> Asked:
    """What makes two requests the same, without anything secret."""
    key = bearer(asked.headers)
    headers = sorted((name, value) for name, value in asked.headers.items() if name not in NOT_READ)
    return {
        "method": asked.method,
        "target": masking.target(asked.target, masking.secrets(asked)),
        "key": "" if key is None else masking.label(key),
        "headers": _digest(repr(headers).encode("utf-8", "surrogatepass")),
        "body": _digest(asked.body),
    }


def summary(plan: Plan) -> dict[str, Any]:
    """An answer for comparison: its status, when its writes are due, and a digest over every byte, due time and its end."""
    told = blake2b(plan.end.encode(), digest_size=16)
    for due, data in plan.writes:
        told.update(f"\n{due!r} {len(data)}\n".encode())
        told.update(data)
    size = sum(len(write.data) for write in plan.writes)
    dues = [write.due_s for write in plan.writes]
    return {"status": plan.status, "bytes": size, "due_s": dues, "digest": told.hexdigest()}


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()
