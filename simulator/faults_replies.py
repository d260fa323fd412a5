"""Further things an agent's reply can do: break off, run out of balance, keep a tool waiting, say what nobody documented, or say a lot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

from ..spec import Delta, Dialect, Done, Event, Failure, Row, Shape, ToolResult
from . import encode
from .cutting import PIECES
from .fault import Fault, Given, Kind
from .layers import Beats, body, events, streamed_events
from .parameter import Parameter
from .plan import Layer, Message, Write
from .pointer import parts
from .refused import refused
from .reply import Beat, Refusal, Reply

STRANGE = "chatproof_unknown"
"""What an event is called that no document knows."""
USAGE_ROLES = ("input_tokens", "output_tokens", "total_tokens")
AFTER = Parameter("after", 1, "how many pieces of text come before", int, "events", 0)
SIZE = Parameter("bytes", 1 << 20, "how large it is", int, "bytes", 1, 16 << 20)


def _breaks_off(refusal: str, message: str, done: bool = False) -> Callable[[Given], Layer]:
    """A stream fails behind so many pieces of text; a JSON reply is that refusal."""

    def make(given: Given) -> Layer:
        words = given.values.get("message", message)

        def reply(plain: Reply) -> Reply:
            if not plain.beats:
                return plain
            if not plain.streamed:
                return refused(given.case, Refusal(refusal, words=words))
            kept = _first_deltas(plain.beats, given.values["after"])
            due = kept[-1].due_s if kept else plain.beats[0].due_s
            ends = tuple(beat for beat in plain.beats if isinstance(beat.event, Done)) if done else ()
            return replace(plain, beats=(*kept, Beat(due, Failure(words)), *ends))

        return Layer(reply=reply)

    return make


def _first_deltas(beats: Beats, count: int) -> Beats:
    """What comes before the delta behind that many; never the end."""
    seen = 0
    for at, beat in enumerate(beats):
        seen += isinstance(beat.event, Delta)
        if seen > count or isinstance(beat.event, Done | Failure):
            return beats[:at]
    return beats


def inserted(make: Callable[[Dialect], bytes]) -> Callable[[Given], Layer]:
    """One more block in every stream, behind the first event; the block is made for the dialect."""

    def of(given: Given) -> Layer:
        block = make(given.case.route.dialect)

        def message(plain: Message) -> Message:
            if not plain.pieces:
                return plain
            first, *rest = plain.pieces
            return body(plain, (first, Write(first.due_s, block), *rest))

        return Layer(message=message)

    return of


def _delta_row(dialect: Dialect) -> Row:
    return next(row for row in dialect.stream if row.event == "delta")


def _unknown(dialect: Dialect) -> bytes:
    constants = dict.fromkeys(_delta_row(dialect).shape.constants, STRANGE)
    value = encode.fill(Shape(constants=constants), {}) or {STRANGE: True}
    return encode.block(encode.dumps({**value, "payload": {"step": 1}}))


def _null_text(dialect: Dialect) -> bytes:
    return encode.block(encode.dumps(encode.fill(_delta_row(dialect).shape, {"text": None})))


def _null_usage(given: Given) -> Layer:
    dialect = given.case.route.dialect
    shapes = (dialect.reply, *(row.shape for row in dialect.stream if row.event == "done"))
    pointers = {at for shape in shapes for role in USAGE_ROLES for at in shape.roles.get(role, ())}

    def value(plain: Any) -> Any:
        for pointer in pointers:
            plain = _nulled(plain, parts(pointer))
        return plain

    return Layer(value=value)


def _nulled(value: Any, path: Iterable[str]) -> Any:
    first, *rest = path
    if not isinstance(value, dict) or first not in value:
        return value
    return {**value, first: _nulled(value[first], rest) if rest else None}


def _without_results(beats: Beats) -> Beats:
    return tuple(beat for beat in beats if not isinstance(beat.event, ToolResult))


def _huge_result(given: Given) -> Layer:
    def large(event: Event) -> Event:
        return ToolResult(event.name, "x" * given.values["bytes"]) if isinstance(event, ToolResult) else event

    return events(lambda beats: tuple(Beat(beat.due_s, large(beat.event)) for beat in beats))


def _huge_event(given: Given) -> Layer:
    """White space inside the JSON of the first event: it says the same, and is long."""
    blank = b" " * given.values["bytes"]

    def message(plain: Message) -> Message:
        if not plain.pieces:
            return plain
        first, *rest = plain.pieces
        return body(plain, (Write(first.due_s, first.data.replace(b"{", b"{" + blank, 1)), *rest))

    return Layer(message=message)


def _one_delta(beats: Beats) -> Beats:
    """Neighbouring pieces of text that are due together are one."""

    def merged() -> Iterator[Beat]:
        for (due, text), group in groupby(beats, key=lambda beat: (beat.due_s, type(beat.event) is Delta)):
            members = list(group)
            if text:
                yield Beat(due, Delta("".join(beat.event.text for beat in members if isinstance(beat.event, Delta))))
            else:
                yield from members

    return tuple(merged())


def _by_character(beats: Beats) -> Beats:
    """A reply that is paced stays as it is: how many pieces it has is what its agent promises."""
    if len({beat.due_s for beat in beats}) > 1:
        return beats
    pieces = [(beat, beat.event.text if isinstance(beat.event, Delta) else "") for beat in beats]
    size = max(1, -(-sum(len(text) for _, text in pieces) // PIECES))
    parts = ((beat, [text[at : at + size] for at in range(0, len(text), size)]) for beat, text in pieces)
    return tuple(made for beat, texts in parts for made in ([Beat(beat.due_s, Delta(one)) for one in texts] or [beat]))


def _empty_piece(beats: Beats) -> Beats:
    at = next((at for at, beat in enumerate(beats) if isinstance(beat.event, Delta)), None)
    return beats if at is None else (*beats[: at + 1], Beat(beats[at].due_s, Delta("")), *beats[at + 1 :])


def _fault(name: str, kind: Kind, breaks: str, how: Layer | Callable[[Given], Layer], *parameters: Parameter) -> Fault:
    layer, make = (how, None) if isinstance(how, Layer) else (Layer(), how)
    return Fault(name, "events", (breaks,), layer, kind, parameters, make)


FAILED = "The agent failed while it was answering"
SPENT = "Insufficient balance"
FAULTS: tuple[Fault, ...] = (
    _fault("error-mid-stream", "occasional", "a stream that began well ends well", _breaks_off("internal_error", FAILED),
        AFTER, Parameter("message", FAILED, "what the error says")),
    _fault("error-then-done", "occasional", "a failure is the last event", _breaks_off("internal_error", FAILED, done=True),
        AFTER, Parameter("message", FAILED, "what the error says")),
    _fault("balance-runs-out", "occasional", "the balance lasts until the end of the answer",
        _breaks_off("insufficient_balance", SPENT), AFTER),
    _fault("unknown-event", "violation", "all events are documented", inserted(_unknown)),
    _fault("null-content", "violation", "a piece of text is text", inserted(_null_text)),
    _fault("empty-content", "legal", "a piece of text has text", streamed_events(_empty_piece)),
    _fault("usage-null", "violation", "usage is in numbers", _null_usage),
    _fault("tool-never-returns", "violation", "a tool that was called answers", events(_without_results)),
    _fault("tool-result-huge", "legal", "a tool's result is small", _huge_result, SIZE),
    _fault("huge-event", "legal", "an event is short", _huge_event, SIZE),
    _fault("stream-ignored", "violation", "who asks for a stream gets one", Layer(
        reply=lambda plain: replace(plain, streamed=False) if plain.beats else plain)),
    _fault("stream-unasked", "violation", "who asks for JSON gets JSON", Layer(
        reply=lambda plain: replace(plain, streamed=True) if plain.beats else plain)),
    _fault("one-delta", "legal", "the text comes in several pieces", streamed_events(_one_delta)),
    _fault("delta-per-character", "legal", "a piece of text is a word", streamed_events(_by_character)),
)  # fmt: skip
