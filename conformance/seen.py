"""An exchange, read in its dialect: what checks look at. Everything here is derived from recorded bytes, lazily."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..spec import Delta, Dialect, Done, Event, Failure
from . import reading
from .exchange import End, Exchange, NotJson
from .profile import Profile
from .sse_events import SseEvent

FATAL_SLIPS = frozenset(
    {
        "bad-utf8",
        "bom-inside",
        "field-name-case",
        "space-before-colon",
        "no-colon",
        "unterminated-event",
        "unterminated-line",
    }
)
"""Slips after which a browser has lost events: what such a stream says cannot be judged, only its framing."""


LOOKS_LIKE_EVENTS = re.compile(rb"(?:\xef\xbb\xbf)?(?:[^{\[<]*[\r\n])?\s*data\s*:", re.IGNORECASE)
"""A body that begins as a stream of events does, comments and other fields before its first data included."""
ELSEWHERE = ("nowhere", "get", "head", "no-host", "http-1-0", "expect")
"""Steps whose requests the target's HTTP server may answer before any code of the API runs."""


@dataclass(frozen=True)
class ReadEvent:
    """One dispatched event: its bytes' place, its JSON if any, its meaning or the reason why it has none."""

    wire: SseEvent
    value: Any
    kind: str | None
    event: Event | None
    problem: str | None


@dataclass(frozen=True)
class Seen:
    """An ``Exchange`` with the dialect and profile it belongs to."""

    exchange: Exchange
    dialect: Dialect
    profile: Profile

    @property
    def asked(self) -> Mapping[str, Any]:
        """What was meant by the request: the fields of ``Ask`` that the transcript keeps."""
        return self.exchange.asked

    @property
    def status(self) -> int:
        """The status code; 0 when no response came."""
        return self.exchange.status or 0

    @property
    def for_the_api(self) -> bool:
        """Whether the request went to a documented place in a documented way, so that the documents say how it is refused."""
        step: str = self.asked["step"]
        return step not in ELSEWHERE and not step.startswith("alias-")

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @cached_property
    def is_stream(self) -> bool:
        """A successful answer that is, or by its body means to be, a stream of events."""
        if not self.ok:
            return False
        if self.exchange.content_type == "text/event-stream":
            return True
        return self.wants_stream and LOOKS_LIKE_EVENTS.match(self.exchange.content) is not None

    @property
    def wants_stream(self) -> bool:
        """Whether the request asked for a stream, by its switch or by saying nothing where that means one."""
        stream = self.asked.get("stream")
        if stream is not None:
            return bool(stream)
        mode = next((op.mode for op in self.dialect.operations if op.id == self.asked.get("operation")), None)
        return mode == "stream" or (mode == "switched" and self.dialect.request.switch.default)

    @cached_property
    def is_reply(self) -> bool:
        """A successful answer to a chat request that is not a stream."""
        return (
            self.ok and self.for_the_api and not self.is_stream and self.asked.get("operation") != self._keys_operation
        )

    @property
    def _keys_operation(self) -> str | None:
        operation = self.dialect.operation("keys")
        return operation.id if operation else None

    @cached_property
    def arrived_whole(self) -> bool:
        """Whether the response's framing was kept to its end."""
        response = self.exchange.response
        return response is not None and response.complete and self.exchange.end in (End.COMPLETE, End.CLOSED)

    @property
    def may_fail(self) -> bool:
        """Whether the agent is one that is there to fail, so that a reply that breaks off is what was asked for."""
        return self.asked.get("agent") in ("failing", "unavailable")

    @property
    def announced_close(self) -> bool:
        """Whether the response says, by a header or its framing, that its connection ends with it (RFC 9112 9.3)."""
        response = self.exchange.response
        if response is None or response.delimiter == "close" or response.version == "1.0":
            return True
        return any("close" in value.lower() for value in self.exchange.headers_named("connection"))

    @cached_property
    def json(self) -> Any:
        """The body's JSON, or ``reading.MISSING`` when it is none."""
        try:
            return self.exchange.json()
        except NotJson:
            return reading.MISSING

    @cached_property
    def roles(self) -> dict[str, Any]:
        """Role -> value of a JSON reply."""
        return {} if self.json is reading.MISSING else reading.roles(self.json, self.dialect.reply)

    @cached_property
    def key_roles(self) -> dict[str, Any]:
        """Role -> value of a reply to key creation."""
        shape = self.dialect.key_reply
        return {} if shape is None or self.json is reading.MISSING else reading.roles(self.json, shape)

    @cached_property
    def events(self) -> tuple[ReadEvent, ...]:
        """The dispatched events, each with its meaning."""
        return tuple(self._read(wire) for wire in self.exchange.stream.events)

    def _read(self, wire: SseEvent) -> ReadEvent:
        try:
            row, value = reading.row_of(wire.data, self.dialect)
        except reading.Unreadable as problem:
            return ReadEvent(wire, problem.value, None, None, str(problem))
        try:
            return ReadEvent(wire, value, row.event, reading.meaning(row, value), None)
        except reading.Unreadable as problem:
            return ReadEvent(wire, value, row.event, None, str(problem))

    @cached_property
    def torn(self) -> bool:
        """Whether the target broke the body off, or its framing could not be followed: the `http` requirements say how."""
        response = self.exchange.response
        if response is None or self.exchange.end is End.BROKEN:
            return True
        return self.exchange.end in (End.CLOSED, End.RESET) and not response.complete

    @cached_property
    def sound(self) -> bool:
        """Whether the body is what the target meant to send: whole as framed, and nothing left over."""
        response = self.exchange.response
        return response is not None and self.arrived_whole and not any(p.kind == "surplus" for p in response.problems)

    @cached_property
    def legible(self) -> bool:
        """Whether the bytes lost nothing, so that what they say can be judged; if not, other requirements say why.

        A stream that was left, or that never ends, can be judged as far as it came.
        """
        if self.is_stream:
            return self.framed and not self.torn
        no_json = self.exchange.content_type == "application/json" and self.json is reading.MISSING
        return self.sound and not no_json

    @cached_property
    def framed(self) -> bool:
        """Whether the stream's events lost nothing to their own framing."""
        if any(slip.kind in FATAL_SLIPS for slip in self.exchange.stream.slips):
            return False
        return all(event.kind is not None or isinstance(event.value, dict) for event in self.events)

    def of_kind(self, kind: str) -> list[ReadEvent]:
        return [event for event in self.events if event.kind == kind]

    @property
    def text(self) -> str | None:
        """The whole text: a reply's ``text`` role, or a stream's pieces joined; ``None`` when there is none to read."""
        if self.is_stream:
            return "".join(event.event.text for event in self.events if isinstance(event.event, Delta))
        text = self.roles.get("text")
        return text if isinstance(text, str) else None

    @property
    def session(self) -> str | None:
        """The session that the answer names."""
        if self.is_stream:
            done = self.done
            return done.session if done else None
        session = self.roles.get("session")
        return session if isinstance(session, str) else None

    @property
    def done(self) -> Done | None:
        return next((event.event for event in self.events if isinstance(event.event, Done)), None)

    @property
    def failure(self) -> Failure | None:
        return next((event.event for event in self.events if isinstance(event.event, Failure)), None)

    def refusal(self) -> dict[str, Any]:
        """Role -> value of an error body, read with the shape of the row that its status belongs to."""
        rows = [row for row in self.dialect.errors.values() if self.status in row.accept]
        if self.json is reading.MISSING:
            return {}
        found = [reading.roles(self.json, row.shape) for row in rows]
        return max(found, key=len, default={})

    def text_deltas(self) -> Iterator[str]:
        for event in self.events:
            if isinstance(event.event, Delta):
                yield event.event.text
