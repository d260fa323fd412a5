"""JSON replies: the media type, the JSON, and each documented place in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..check import Finding, Note, Unclear, each
from ..exchange import NotJson
from ..reading import MISSING, at
from ..seen import Seen


@each("replies")
def status(seen: Seen) -> Iterator[Note]:
    """A successful reply answers 200, the only success that is documented."""
    if seen.status != 200:
        yield Finding("status 200", f"status {seen.status}", seen)


@each("replies")
def content_type(seen: Seen) -> Iterator[Note]:
    """The media type of a reply is application/json."""
    if seen.exchange.content_type != "application/json":
        got = seen.exchange.header("content-type")
        yield Finding("Content-Type: application/json", f"Content-Type: {got}" if got else "no Content-Type", seen)


@each("replies")
def is_json(seen: Seen) -> Iterator[Note]:
    """The body of a reply is one JSON object."""
    if not seen.sound:
        yield Unclear("the response was not sent as it was framed; the `http` requirements say how")
        return
    yield from _not_json(seen)
    if seen.json is not MISSING and not isinstance(seen.json, dict):
        yield Finding("a JSON object", f"{seen.exchange.content[:120]!r}", seen)


@each("replies")
def text(seen: Seen) -> Iterator[Note]:
    """A reply holds the agent's text, as text."""
    yield from _typed(seen, "text", str, "the agent's text")


@each("replies")
def session(seen: Seen) -> Iterator[Note]:
    """A reply names its session, as text that is not empty."""
    if "session" in seen.roles or seen.asked.get("session"):
        yield from _typed(seen, "session", str, "the session's id")
    if seen.roles.get("session") == "" and seen.asked.get("session") != "":
        yield Finding("a session's id", "empty text", seen)


@each("replies", when=lambda seen: bool(seen.asked.get("session")) and _its_own(seen))
def session_echoed(seen: Seen) -> Iterator[Note]:
    """A reply names the session that the request asked for."""
    if "session" in seen.roles and seen.roles["session"] != seen.asked["session"]:
        yield Finding(f"session {seen.asked['session']!r}", f"session {seen.roles['session']!r}", seen)


@each("replies", legible=True)
def constants(seen: Seen) -> Iterator[Note]:
    """The places that are always the same in a reply are so: an envelope holds data or an error, never both."""
    for pointer, wanted in seen.dialect.reply.constants.items():
        got = MISSING if seen.json is MISSING else at(seen.json, (pointer,))
        if got is MISSING or got != wanted:
            yield Finding(f"{wanted!r} at {pointer}", "nothing there" if got is MISSING else f"{got!r:.120}", seen)


@each("replies")
def model(seen: Seen) -> Iterator[Note]:
    """A reply names the model that answered, as text."""
    yield from _typed(seen, "model", str, "the model's name")


@each("replies")
def tool_calls(seen: Seen) -> Iterator[Note]:
    """A reply lists the tools that were invoked, in an array that is empty when there were none."""
    yield from _typed(seen, "tool_calls", list, "an array")


def _not_json(seen: Seen) -> Iterator[Note]:
    try:
        seen.exchange.json()
    except NotJson as problem:
        yield Finding("one JSON text", f"{problem} in {seen.exchange.content[:120]!r}", seen, problem.offset)


def _its_own(seen: Seen) -> bool:
    """Whether the session is the caller's, begun, not expired, and with this agent: what another id is met with is open (AMB-09, AMB-24)."""
    asked = seen.asked
    return asked.get("key") == "valid" and asked["step"] not in ("chosen", "late") and asked.get("agent") != "other"


def _typed(seen: Seen, role: str, kind: type[Any], called: str) -> Iterator[Note]:
    pointers = seen.dialect.reply.roles.get(role)
    if pointers is None or seen.json is MISSING:
        return
    value = seen.roles.get(role, MISSING)
    if value is MISSING:
        yield Finding(f"{called} at {pointers[0]}", "nothing there", seen)
    elif not isinstance(value, kind):
        yield Finding(f"{called} at {pointers[0]}", f"{value!r:.120}", seen)
