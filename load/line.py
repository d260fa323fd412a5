"""Connections to one target, kept and used again."""

from __future__ import annotations

import time
from dataclasses import replace

from ..conformance.endpoint import Endpoint, encode
from ..conformance.exchange import End, Request
from ..conformance.profile import Profile
from .heard import Heard
from .lane import Lane
from .looks import Looks

MOST_HEADS = 4096
DROPPED = (End.CLOSED, End.RESET)
CROSSED_NS = 5_000_000
"""What is allowed beyond the way there and back, for an end that was on its way when a request was sent."""


class Line:
    """Takes the connection that was used last. ``looks``: how late reads may be. ``opened``: how many connections were made."""

    def __init__(self, profile: Profile, *, insecure: bool = False) -> None:
        self.endpoint = Endpoint.parse(profile.base_url)
        self.looks = Looks()
        self._deadlines = profile.deadlines
        self._insecure = insecure
        self._idle: list[Lane] = []
        self.opened = 0
        self._told: Request | None = None
        self._heads: dict[int, bytes] = {}

    def send(self, base: Request, body: bytes) -> tuple[Heard, bool]:
        """One exchange, and whether a kept connection had ended before it, so that a new one was made. ``base``: the request without a body.

        A target may close an idle connection at any time (RFC 9112 9.3.1). That is what happened where its end came before the request can have been
        there and looked at; one that was taken and never answered is not sent again, since it may have been carried out (RFC 9110 9.2.2).
        """
        head = self._head(base, len(body))
        kept = self._idle.pop() if self._idle else None
        if kept is not None:
            heard = self._over(kept, base, head, body)
            if not (heard.end in DROPPED and not heard.reads and _crossed(heard, kept)):
                return heard, False
        self.opened += 1
        fresh = Lane(self.endpoint, self._deadlines, self.looks, insecure=self._insecure)
        return self._over(fresh, base, head, body), kept is not None

    def _head(self, base: Request, size: int) -> bytes:
        """The head as it is sent: that of the request before, wherever nothing but the body is another."""
        if base is not self._told or len(self._heads) > MOST_HEADS:
            self._told, self._heads = base, {}
        head = self._heads.get(size)
        if head is None:
            whole = encode(self.endpoint, replace(base, body=bytes(size)), keep_alive=True)
            head = self._heads[size] = whole[: len(whole) - size]
        return head

    def _over(self, lane: Lane, base: Request, head: bytes, body: bytes) -> Heard:
        heard = lane.send(base.method, head, body)
        if lane.usable:
            self._idle.append(lane)
        return heard

    def close(self) -> None:
        """Hang up on all that are idle."""
        while self._idle:
            self._idle.pop().close()
        self.looks.close()


def _crossed(heard: Heard, lane: Lane) -> bool:
    """Whether the connection ended so soon after the request was sent that the two met on the way."""
    return time.monotonic_ns() - heard.sent_ns <= 2 * lane.connected_in_ns + CROSSED_NS
