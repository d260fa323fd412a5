"""The switch between JSON and a stream: what comes with it on, off and left out."""

from __future__ import annotations

from collections.abc import Iterator

from ..check import Finding, Note, Reading, StepMissing, Steps, Unclear, of
from ..seen import Seen


@of("switch")
def default(steps: Steps) -> Iterator[Note]:
    """A request that does not mention the switch gets what the documents name as the default."""
    for seen in _steps(steps, "unsaid", "switched"):
        yield from _is(seen, seen.dialect.request.switch.default)


@of("switch")
def on(steps: Steps) -> Iterator[Note]:
    """With the switch on, a stream comes back."""
    for seen in _steps(steps, "on", "switched"):
        yield from _is(seen, True)


@of("switch")
def off(steps: Steps) -> Iterator[Note]:
    """With the switch off, one JSON object comes back."""
    for seen in _steps(steps, "off", "switched"):
        yield from _is(seen, False)


@of("switch")
def always(steps: Steps) -> Iterator[Note]:
    """An operation that is there for streaming streams without being asked."""
    for seen in _steps(steps, "unsaid", "stream"):
        yield from _is(seen, True)


@of("switch")
def available(steps: Steps) -> Iterator[Note]:
    """There is a way to ask for a stream: by the body or by Accept (AMB-03)."""
    if not (_streams(steps, "on") or _streams(steps, "accept")):
        yield Finding(
            "a stream, asked for by the body or by Accept",
            "a JSON reply to both",
            next(_steps(steps, "on", "switched")),
        )


@of("switch")
def on_by_body(steps: Steps) -> Iterator[Note]:
    """Whether the body's switch brings a stream, where no document says so (AMB-03)."""
    works = _streams(steps, "on")
    yield Reading(
        "body" if works else "none",
        f'"stream": true in the body {"brings" if works else "does not bring"} a stream',
        ("accept", "unasked"),
    )


@of("switch")
def on_by_accept(steps: Steps) -> Iterator[Note]:
    """Whether Accept: text/event-stream brings a stream, where no document says so (AMB-03)."""
    works = _streams(steps, "accept")
    yield Reading(
        "accept" if works else "none",
        f"Accept: text/event-stream {'brings' if works else 'does not bring'} a stream",
        ("body", "unasked"),
    )


@of("switch")
def unasked(steps: Steps) -> Iterator[Note]:
    """What a request without any switch brings, where a printed sample expects a stream and a table expects JSON (AMB-03)."""
    streams = _streams(steps, "unsaid")
    ways = ("body", "accept", *(("unasked",) if streams else ()))
    yield Reading("stream" if streams else "json", f"without a switch comes {'a stream' if streams else 'JSON'}", ways)


def _streams(steps: Steps, suffix: str) -> bool:
    return any(seen.is_stream for seen in _steps(steps, suffix, "switched"))


def _steps(steps: Steps, suffix: str, mode: str) -> Iterator[Seen]:
    found = False
    for seen in steps.all:
        operation = next(op for op in seen.dialect.operations if op.id == seen.asked["operation"])
        if operation.mode == mode and seen.asked["step"] == f"{operation.id}-{suffix}":
            found = True
            yield seen
    if not found:
        raise StepMissing(suffix)


def _is(seen: Seen, stream: bool) -> Iterator[Note]:
    if not seen.ok:
        yield Unclear(f"the request was answered {seen.status or seen.exchange.end.value}")
    elif seen.is_stream != stream:
        wanted = ("a JSON reply", "a stream of events")
        yield Finding(
            wanted[stream], f"{wanted[not stream]} (Content-Type: {seen.exchange.header('content-type')})", seen
        )
