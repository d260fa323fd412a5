"""The life of a stream: what it says, how it ends, and what happens when the agent fails half-way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ...spec import Delta, Row
from ..check import Finding, Note, Reading, Steps, Unclear, Unverified, each, of
from ..exchange import End
from ..pace import FEWEST, bunched, read_late
from ..schema import event_violations
from ..seen import ReadEvent, Seen

SOON_S = 2.0
"""How long after its last event a stream may stay open (clients read to the end of the body)."""
LONGEST_PAUSE_S, SLACK_S = 15.0, 1.0


@each("streams", legible=True)
def known_types(seen: Seen) -> Iterator[Note]:
    """Every event is of a documented type."""
    for event in seen.events:
        if event.kind is None:
            yield Finding(_types(seen), f"{event.wire.data[:120]!r}", seen, event.wire.start)


def _register_shape(name: str, kind: str) -> None:
    def judge(seen: Seen) -> Iterator[Note]:
        for event in seen.of_kind(kind):
            problems = event_violations(seen, event.value) or ([event.problem] if event.problem else [])
            for problem in problems:
                got = f"{problem}: {event.wire.data[:120]}"
                yield Finding(f"a documented {_called_kind(seen, kind)} event", got, seen, event.wire.start)

    judge.__doc__ = f"Events of the kind {kind} have the documented fields, with values of the documented types."
    each("streams", name=name, legible=True, when=lambda seen: bool(seen.of_kind(kind)))(judge)


for _kind in ("delta", "tool_call", "tool_result", "failure"):
    _register_shape(f"{_kind}_shape", _kind)


@of("stream")
def served(steps: Steps) -> Iterator[Note]:
    """A streamed reply is a sequence of Server-Sent Events."""
    seen = steps["new"]
    if not seen.ok:
        yield Unclear(f"the request was answered {seen.status or seen.exchange.end.value}")
    elif seen.is_stream and not seen.legible:
        yield Unclear("the stream lost something on its way; the `sse` and `http` requirements say what")
    elif not seen.is_stream or not seen.exchange.stream.events:
        got = f"{len(seen.exchange.stream.events)} events in {len(seen.exchange.content)} bytes of {seen.exchange.content_type}"
        yield Finding("a stream of events", got, seen)


@each("streams", legible=True, when=lambda seen: seen.exchange.end != End.LEFT)
def has_text(seen: Seen) -> Iterator[Note]:
    """The reply's text comes in pieces, each in its own event."""
    if not any(isinstance(event.event, Delta) for event in seen.events) and seen.failure is None:
        yield Finding("at least one event with a piece of text", f"{len(seen.events)} events, none with text", seen)


@each("streams", legible=True, when=lambda seen: (seen.arrived_whole or _says_done(seen)) and not seen.may_fail)
def done_present(seen: Seen) -> Iterator[Note]:
    """A successful stream has an event that says it is complete; without one it reads as cut off."""
    if not seen.of_kind("done") and not seen.of_kind("failure"):
        yield Finding(
            f"{_done(seen)} as the last event", f"a stream of {len(seen.events)} events that just stops", seen
        )


@each("streams", legible=True)
def done_once(seen: Seen) -> Iterator[Note]:
    """A stream says only once that it is complete."""
    ends = seen.of_kind("done")
    if len(ends) > 1:
        yield Finding(f"{_done(seen)} once", f"{len(ends)} times", seen, ends[1].wire.start)


@each("streams", legible=True)
def nothing_after(seen: Seen) -> Iterator[Note]:
    """Nothing but comments follows the event that ends the stream."""
    ended = [index for index, event in enumerate(seen.events) if event.kind == "done"]
    late = [event for event in seen.events[ended[0] + 1 :] if event.kind != "done"] if ended else []
    if late:
        yield Finding("nothing after the last event", f"{late[0].wire.data[:120]!r}", seen, late[0].wire.start)


@each("streams", legible=True, when=lambda seen: seen.done is not None)
def done_session(seen: Seen) -> Iterator[Note]:
    """The event that ends the stream names the session, as text that is not empty."""
    if not _documents(seen, "session"):
        return
    for event in _ends(seen):
        if not seen.session and seen.asked.get("session"):
            yield Finding("the session's id", f"{event.wire.data[:120]}", seen, event.wire.start)


@each("streams", legible=True, when=lambda seen: seen.done is not None and _its_own(seen))
def done_session_echoed(seen: Seen) -> Iterator[Note]:
    """The event that ends the stream names the session that the request asked for."""
    if _documents(seen, "session") and seen.session and seen.session != seen.asked["session"]:
        yield Finding(f"session {seen.asked['session']!r}", f"session {seen.session!r}", seen)


@each("streams", legible=True, when=lambda seen: bool(seen.of_kind("done")) and _read_through(seen))
def closes(seen: Seen) -> Iterator[Note]:
    """The body ends soon after its last event; a client that reads to the end would hang otherwise."""
    last = seen.events[-1].wire
    if seen.exchange.end in (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT):
        yield Finding(f"the end of the body within {SOON_S:g} s of the last event", "it stayed open", seen, last.end)
        return
    late = (seen.exchange.reads[-1].at_ns - seen.exchange.arrived_ns(last.end - 1)) / 1e9
    if late > SOON_S:
        yield Finding(
            f"the end of the body within {SOON_S:g} s of the last event", f"after {late:.1f} s", seen, last.end
        )


@each("streams")
def not_stored(seen: Seen) -> Iterator[Note]:
    """A stream is not to be kept by caches: Cache-Control has no-cache or no-store."""
    value = (seen.exchange.header("cache-control") or "").lower()
    if "no-cache" not in value and "no-store" not in value:
        yield Finding("Cache-Control: no-cache (or no-store)", f"Cache-Control: {value}" if value else "none", seen)


@each("streams", when=lambda seen: _read_through(seen))
def heartbeat(seen: Seen) -> Iterator[Note]:
    """A pause of more than 15 s is bridged by a comment line (WHATWG HTML 9.2.7)."""
    for before, after in pairwise(seen.exchange.reads):
        pause = (after.at_ns - before.at_ns) / 1e9
        if pause > LONGEST_PAUSE_S + SLACK_S:
            yield Finding(f"something every {LONGEST_PAUSE_S:g} s", f"nothing for {pause:.0f} s", seen)


@of("same")
def same_text(steps: Steps) -> Iterator[Note]:
    """The joined pieces of a stream are the text that the JSON reply gives to the same message."""
    for kind in ("", "letters-", *(f"{agent}-" for agent in ("unicode", "long") if steps.named(agent))):
        whole, pieces = steps[f"{kind}json"], steps[f"{kind}stream"]
        if not (whole.is_reply and whole.legible and pieces.is_stream and pieces.legible) or whole.text is None:
            yield Unclear("one of the two did not come back readable")
        elif whole.text != pieces.text:
            at = _differs(whole.text or "", pieces.text or "")
            yield Finding(f"{(whole.text or '')[at:]!r:.200}", f"{(pieces.text or '')[at:]!r:.200}", pieces)


def _differs(one: str, other: str) -> int:
    """The place, a little before the first difference, from which on two texts are worth showing."""
    common = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return max(common - 20, 0)


@of("failing", control="good")
def failure_event(steps: Steps) -> Iterator[Note]:
    """A failure in the middle of a stream is told by an event of the documented kind, with a message."""
    seen = steps["stream"]
    if not seen.is_stream:
        yield Unverified(f"the failing agent answered {seen.status} before any stream")
    elif not seen.framed or steps["stream-good"].torn:
        yield Unclear("other streams lose something on their way too; the `sse` and `http` requirements say what")
    elif not seen.of_kind("failure"):
        yield Finding("an event that says what failed", f"{[event.kind for event in seen.events]}", seen)


@each("streams", legible=True, when=lambda seen: bool(seen.of_kind("failure")))
def failure_ends(seen: Seen) -> Iterator[Note]:
    """No text and no tool event follows the event of a failure."""
    at = next(index for index, event in enumerate(seen.events) if event.kind == "failure")
    for event in seen.events[at + 1 :]:
        if event.kind != "done":
            yield Finding("nothing but the end after a failure", f"{event.wire.data[:120]!r}", seen, event.wire.start)


@of("failing", control="good")
def done_after_failure(steps: Steps) -> Iterator[Note]:
    """Whether the event that ends a stream follows the event of a failure (AMB-15)."""
    seen = steps["stream"]
    if seen.failure is None:
        yield Unverified("no failure event came")
    elif seen.done is not None:
        yield Reading("done", "a failure event is followed by the event that ends the stream")
    else:
        yield Reading("stops", "a failure event is the last")


@of("paced")
def progressive(steps: Steps) -> Iterator[Note]:
    """Pieces arrive as they are made, neither all at once at the end nor in a few bursts; of some tries one is enough.

    A try during which this machine was late itself proves nothing.
    """
    tries = [steps["stream"], *steps.named("again-")]
    seen = tries[-1]
    if not seen.is_stream or len(seen.of_kind("delta")) < FEWEST:
        yield Unclear(f"the paced agent sent no stream of {FEWEST} pieces that can be read")
    elif bunched(seen) is not None:
        found = next((Finding(*told, one) for one in tries if (told := bunched(one)) and read_late(one) is None), None)
        busy = f"this machine was itself late by {read_late(seen)} s, so the times of what it read tell nothing"
        yield found or Unclear(busy)


@each("answers", when=lambda seen: bool(seen.asked.get("stream")) and (seen.status >= 400 or _must_refuse(seen)))
def refused_before(seen: Seen) -> Iterator[Note]:
    """What is refused before a stream begins is refused by status and JSON, not by events.

    A request that is taken and answered, though it should be refused, is a matter of the requirement that says so.
    """
    if seen.is_stream and not seen.legible:
        yield Unclear("the stream lost something on its way; the `sse` and `http` requirements say what")
    elif seen.is_stream and not _answered(seen):
        yield Finding(
            "a refusal by status", f"status {seen.status} and a stream: {seen.exchange.content[:120]!r}", seen
        )
    elif seen.status >= 400 and seen.exchange.content_type == "text/event-stream":
        yield Finding("a JSON error", "Content-Type: text/event-stream", seen)


def _answered(seen: Seen) -> bool:
    """Whether a stream is a whole reply: it has text, says that it is complete, and tells of no failure."""
    return any(seen.text_deltas()) and _says_done(seen) and not seen.of_kind("failure")


def _must_refuse(seen: Seen) -> bool:
    """Whether the request is one that has to be refused: such steps are named so by their scenarios."""
    step: str = seen.asked["step"]
    return step == "refused-stream" or (step.startswith("stream-") and step != "stream-good")


def _read_through(seen: Seen) -> bool:
    """Whether a stream was read to its end without a pause of our own."""
    return seen.exchange.end != End.LEFT and not seen.asked.get("held")


def _says_done(seen: Seen) -> bool:
    return bool(seen.of_kind("done"))


def _its_own(seen: Seen) -> bool:
    """Whether the request named a session of the caller's own; what another's is met with is open (AMB-09)."""
    return bool(seen.asked.get("session")) and seen.asked.get("key") == "valid"


def _types(seen: Seen) -> str:
    return f"one of {', '.join(_called(row) for row in seen.dialect.stream)}"


def _done(seen: Seen) -> str:
    return _called(next(row for row in seen.dialect.stream if row.event == "done"))


def _called_kind(seen: Seen, kind: str) -> str:
    return _called(next(row for row in seen.dialect.stream if row.event == kind))


def _called(row: Row) -> str:
    """What a reader of the documents calls this kind of event: its literal, its type, or the field it has."""
    fields = (pointers[0].strip("/") for pointers in row.shape.roles.values())
    return row.literal or "/".join(map(str, row.shape.constants.values())) or f"{{{', '.join(fields)}}}"


def _documents(seen: Seen, role: str) -> bool:
    return any(row.event == "done" and role in row.shape.roles for row in seen.dialect.stream)


def _ends(seen: Seen) -> list[ReadEvent]:
    return seen.of_kind("done")
