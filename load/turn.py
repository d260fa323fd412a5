"""One turn over a kept connection: a request made quickly, what came back, and what became of it.

It reads like blocking code, and blocks the greenlet that calls it: many of them take their turns at once, and a test takes one by itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple

from ..conformance.ask import Ask, Via, compose
from ..conformance.endpoint import Endpoint, encode
from ..conformance.exchange import End, Exchange, Request
from ..conformance.profile import Profile
from ..spec import Dialect
from .canary import MARK, owners, word
from .glance import Glimpse, look
from .lane import Lane
from .looks import Looks
from .outcome import outcome
from .timeline import Timeline

MOST_HEADS = 4096
DROPPED = (End.CLOSED, End.RESET)
MESSAGE, SESSION = "\ue000", "\ue001"
"""What stands in a form of the request where a message and a session go; nobody says these characters."""


class Turn(NamedTuple):
    """What became of one turn. ``number`` is unique in a run, ``at`` counts the turns of its ``conversation`` from 0.

    ``foreign``: the conversation whose word the answer bore. ``reconnected``: the kept connection had ended and a new one was made.
    """

    number: int
    conversation: int
    at: int
    outcome: str
    why: str
    timeline: Timeline
    exchange: Exchange
    seen: Glimpse
    foreign: int | None = None
    reconnected: bool = False


@dataclass
class Maker:
    """Makes the requests of a run: all that does not change is made once."""

    dialect: Dialect
    profile: Profile
    stream: bool
    via: Via = "body"
    asked: Mapping[str, Any] = field(init=False)
    _base: Request = field(init=False)
    _alone: str = field(init=False)
    _continued: str = field(init=False)

    def __post_init__(self) -> None:
        ask = Ask("load", message=MESSAGE, stream=self.stream)
        self._base, self.asked = compose(ask, self.dialect, self.profile, self.via)
        body: dict[str, Any] = json.loads(self._base.body)
        _put(body, self.dialect.request.chat["message"][0], MESSAGE)
        self._alone = _form(body)
        _put(body, self.dialect.request.chat["session"][0], SESSION)
        self._continued = _form(body)

    def request(self, message: str, session: str | None) -> Request:
        """The request for one turn."""
        said = encode_basestring_ascii(message)
        if session is None:
            body = self._alone % {"message": said}
        else:
            body = self._continued % {"message": said, "session": encode_basestring_ascii(session)}
        base = self._base
        return Request(base.method, base.target, base.headers, body.encode("ascii"))


def _form(body: Mapping[str, Any]) -> str:
    """A body as JSON with a place for what each turn says, to be filled in by ``%``."""
    text = json.dumps(body).replace("%", "%%")
    return text.replace(json.dumps(MESSAGE), "%(message)s").replace(json.dumps(SESSION), "%(session)s")


def _put(body: dict[str, Any], pointer: str, value: str) -> None:
    """Write at a JSON Pointer."""
    *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value


class Line:
    """Connections to one target, kept and used again, the last one first. ``looks``: how late their reads may be."""

    def __init__(self, profile: Profile, *, insecure: bool = False) -> None:
        self.endpoint = Endpoint.parse(profile.base_url)
        self.looks = Looks()
        self._deadlines = profile.deadlines
        self._insecure = insecure
        self._idle: list[Lane] = []
        self.opened = 0
        self._told: tuple[object, ...] = ()
        self._heads: dict[int, bytes] = {}

    def send(self, request: Request) -> tuple[Exchange, bool]:
        """One exchange, and whether a kept connection had ended before it, so that a new one was made.

        A target may close an idle connection at any time (RFC 9112 9.3.1); without a byte of an answer that is what happened, once.
        """
        data = self._bytes(request)
        kept = self._idle.pop() if self._idle else None
        if kept is not None:
            exchange = self._over(kept, request, data)
            if not (exchange.end in DROPPED and not exchange.reads):
                return exchange, False
        self.opened += 1
        fresh = Lane(self.endpoint, self._deadlines, self.looks, insecure=self._insecure)
        return self._over(fresh, request, data), kept is not None

    def _bytes(self, request: Request) -> bytes:
        """The request as it is sent. Its head is that of the one before wherever nothing but the body is another."""
        told = (request.method, request.target, request.headers)
        if told != self._told or len(self._heads) > MOST_HEADS:
            self._told, self._heads = told, {}
        size = len(request.body)
        if size not in self._heads:
            whole = encode(self.endpoint, request, keep_alive=True)
            self._heads[size] = whole[: len(whole) - size]
        return self._heads[size] + request.body

    def _over(self, lane: Lane, request: Request, data: bytes) -> Exchange:
        exchange = lane.send(request, data)
        if lane.usable:
            self._idle.append(lane)
        return exchange

    def close(self) -> None:
        """Hang up on all that are idle."""
        while self._idle:
            self._idle.pop().close()
        self.looks.close()


def take(
    line: Line,
    maker: Maker,
    number: int,
    conversation: int,
    at: int,
    message: str,
    session: str | None,
    intended_ns: int,
    seed: int,
    expects_word: bool,
) -> Turn:
    """Send one turn, read what came, and say what became of it."""
    started = time.monotonic_ns()
    exchange, reconnected = line.send(maker.request(message, session))
    seen = look(exchange, maker.dialect, maker.profile)
    result, why = outcome(exchange.end, seen)
    foreign = (
        next((owner for owner in owners(seed, seen.text) if owner != conversation), None) if MARK in seen.text else None
    )
    if foreign is not None:
        result, why = "mixup", f"the word of conversation {foreign} in an answer to conversation {conversation}"
    elif result == "ok":
        result, why = _right(seen, maker, session, word(seed, conversation) if expects_word else None)
    times = _timeline(exchange, seen, min(intended_ns, started), started)
    return Turn(number, conversation, at, result, why, times, exchange, seen, foreign, reconnected)


def _right(seen: Glimpse, maker: Maker, session: str | None, expected: str | None) -> tuple[str, str]:
    """Whether a whole answer is the right one, as far as can be told."""
    if seen.streamed is not maker.stream:
        wanted, came = ("a stream", "JSON") if maker.stream else ("JSON", "a stream")
        return "malformed", f"asked for {wanted}, got {came}"
    if not seen.text:
        return "wrong_answer", "no text"
    if session is not None and seen.session not in (None, session):
        return "wrong_answer", "it names another session than the one that was continued"
    if expected is not None and expected not in seen.text:
        return "wrong_answer", "its conversation's word did not come back"
    return "ok", ""


def _timeline(exchange: Exchange, seen: Glimpse, intended: int, started: int) -> Timeline:
    reads = exchange.reads
    ended = reads[-1].at_ns if reads else time.monotonic_ns()
    return Timeline(
        intended,
        started,
        exchange.sent_ns,
        ended,
        reads[0].at_ns if reads else None,
        tuple(seen.texts),
        seen.terminal_at,
        seen.streamed,
        len(seen.text),
        seen.units,
    )


def labelled(turn: Turn, maker: Maker, message: str, session: str | None) -> Exchange:
    """The exchange of a turn as the judge wants it: with a name, and what was meant by it."""
    asked = {**maker.asked, "message": message, "session": session}
    return replace(turn.exchange, id=f"turn-{turn.number}", label="load", asked=asked)
