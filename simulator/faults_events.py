"""Right decisions badly told: events missing, doubled, out of order, or saying the wrong thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from ..spec import Delta, Done, Failure, Row, Shape, ToolCall, ToolResult, Usage
from .fault import Fault
from .layers import Beats, events, streamed_events
from .plan import Layer
from .reply import Beat, Reply

GHOST = "ghost"


def _events(name: str, breaks: str, layer: Layer) -> Fault:
    return Fault(name, "events", (breaks,), layer)


def done(change: Callable[[Done], Done]) -> Layer:
    """Another end of every reply."""

    def beat(plain: Beat) -> Beat:
        return Beat(plain.due_s, change(plain.event)) if isinstance(plain.event, Done) else plain

    return events(lambda beats: tuple(map(beat, beats)))


def usage(change: Callable[[Usage], Usage]) -> Layer:
    """Other figures in every reply."""
    return done(lambda end: replace(end, usage=change(end.usage)))


def deltas(change: Callable[[list[Delta]], list[Delta]]) -> Layer:
    """Other text in streams: the deltas before the first other event are replaced, at the times of those that were there."""

    def beats(plain: Beats) -> Beats:
        count = next((at for at, beat in enumerate(plain) if not isinstance(beat.event, Delta)), len(plain))
        times = [beat.due_s for beat in plain[:count]]
        texts = change([beat.event for beat in plain[:count] if isinstance(beat.event, Delta)])
        dues = times[: len(texts)] + times[-1:] * (len(texts) - count)
        return (*map(Beat, dues, texts), *plain[count:])

    return streamed_events(beats)


def tables(change: Callable[[Row], Row]) -> Layer:
    """Streams written by another table."""

    def reply(plain: Reply) -> Reply:
        rows = tuple(change(row) for row in plain.dialect.stream)
        return replace(plain, dialect=replace(plain.dialect, stream=rows)) if plain.streamed else plain

    return Layer(reply=reply)


def without_terminal(beats: Beats) -> Beats:
    return tuple(beat for beat in beats if not isinstance(beat.event, Done | Failure))


def in_time(change: Callable[[Beats], Beats]) -> Callable[[Beats], Beats]:
    """Events in another order, at the times of those that were there: nothing waits for what comes later now."""

    def beats(plain: Beats) -> Beats:
        changed = change(plain)
        return tuple(Beat(due, beat.event) for due, beat in zip(sorted(b.due_s for b in changed), changed, strict=True))

    return beats


def _early_terminal(beats: Beats) -> Beats:
    """As it is, where there is nothing but the end."""
    return (beats[0], beats[-1], *beats[1:-1]) if len(beats) > 1 else beats


def _mistyped(row: Row) -> Row:
    if row.event != "delta":
        return row
    constants = dict.fromkeys(row.shape.constants, GHOST)
    roles = row.shape.roles if constants else dict.fromkeys(row.shape.roles, (f"/{GHOST}",))
    return replace(row, shape=Shape(roles, constants))


def _results_first(beats: Beats) -> Beats:
    moved = list(beats)
    for at in range(len(moved) - 1):
        if isinstance(moved[at].event, ToolCall) and isinstance(moved[at + 1].event, ToolResult):
            moved[at], moved[at + 1] = moved[at + 1], moved[at]
    return tuple(moved)


def _textless(plain: Reply) -> Reply:
    roles = {role: at for role, at in plain.shape.roles.items() if role != "text"}
    return replace(plain, shape=replace(plain.shape, roles=roles)) if plain.beats else plain


def _as_text(plain: Usage) -> Usage:
    def text(value: int | None) -> Any:
        return None if value is None else str(value)

    return Usage(cast(Any, text(plain.input)), cast(Any, text(plain.output)), cast(Any, text(plain.total)))


def _more(plain: Usage) -> Usage:
    return replace(plain, total=(plain.total or 0) + 1)


def _negative(plain: Usage) -> Usage:
    return Usage(-1, -1, -2)


FAULTS: tuple[Fault, ...] = (
    _events("no-terminal", "a stream says that it is complete", streamed_events(without_terminal)),
    _events("two-terminals", "a stream ends once", streamed_events(lambda beats: (*beats, beats[-1]))),
    _events("text-after-terminal", "nothing follows the end", streamed_events(
        lambda beats: (*beats, Beat(beats[-1].due_s, Delta(GHOST))))),
    _events("early-terminal", "the end comes last", streamed_events(in_time(_early_terminal))),
    _events("failure-becomes-end", "a failure is told", streamed_events(lambda beats: tuple(
        Beat(beat.due_s, Done(None, Usage(1, 1, 2))) if isinstance(beat.event, Failure) else beat for beat in beats))),
    _events("done-without-usage", "the end carries usage", usage(lambda _: Usage())),
    _events("done-without-session", "the reply names its session", done(lambda end: replace(end, session=None))),
    _events("empty-session", "the session's id can be used", done(lambda end: replace(end, session=""))),
    _events("session-changes", "the session's id stays", done(lambda end: replace(end, session=f"{end.session}-2"))),
    _events("wrong-total", "the total is the sum", usage(_more)),
    _events("usage-as-text", "usage is in whole numbers", usage(_as_text)),
    _events("usage-negative", "usage is a count", usage(_negative)),
    _events("wrong-event-type", "events have the documented type", tables(_mistyped)),
    _events("text-lost", "the pieces are the whole text", deltas(lambda texts: texts[:1] + texts[2:])),
    _events("text-duplicated", "each piece comes once", deltas(lambda texts: texts[:1] + texts)),
    _events("text-reordered", "pieces come in order", deltas(lambda texts: texts[1:2] + texts[:1] + texts[2:])),
    _events("no-text", "a stream has text", streamed_events(
        lambda beats: tuple(beat for beat in beats if not isinstance(beat.event, Delta)))),
    _events("reply-without-text", "a JSON reply has its text", Layer(reply=_textless)),
    _events("result-before-call", "a tool's result follows its call", events(in_time(_results_first))),
    _events("result-without-call", "a tool's result has a call", events(
        lambda beats: tuple(beat for beat in beats if not isinstance(beat.event, ToolCall)))),
)  # fmt: skip
