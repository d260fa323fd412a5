"""Kept connections: one that ended before it was used again is replaced; a request that was taken is not sent twice."""

from __future__ import annotations

import time

import pytest

from chatproof.conformance.connection import Deadlines
from chatproof.conformance.endpoint import Endpoint
from chatproof.conformance.exchange import End
from chatproof.conformance.profile import Profile
from chatproof.load import line as line_module
from chatproof.load.heard import Heard
from chatproof.load.lane import Lane
from chatproof.load.line import Line
from chatproof.load.looks import Looks

from ..conformance.played import JSON, NEXT_REQUEST, POST, server

BRIEF = Deadlines(connect=0.2, first_byte=0.05, idle=0.05, total=0.2)


@pytest.mark.parametrize(("crossed", "end", "anew"), [(True, End.FIRST_BYTE_TIMEOUT, True), (False, End.CLOSED, False)])
def test_a_request_that_was_taken_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, crossed: bool, end: End, anew: bool
) -> None:
    """The server reads it and hangs up. On a new connection it would not even be heard."""
    monkeypatch.setattr(line_module, "_crossed", lambda *_: crossed)
    with server(JSON, NEXT_REQUEST) as played:
        url = f"http://127.0.0.1:{played.endpoint.port}"
        line = Line(Profile(url, "guide", {"valid": "key-of-mine"}, {"default": "a"}, deadlines=BRIEF))
        first, _ = line.send(POST, POST.body)
        heard, again = line.send(POST, POST.body)
        line.close()
    assert first.end is End.COMPLETE
    assert (heard.end, again, line.opened) == (end, anew, 1 + anew)
    assert len(played.requests) == 2


@pytest.mark.parametrize(
    ("ended_ms", "connected_ms", "crossed"), [(4, 0, True), (6, 0, False), (40, 20, True), (46, 20, False)]
)
def test_an_end_that_was_on_its_way_comes_soon(
    monkeypatch: pytest.MonkeyPatch, ended_ms: int, connected_ms: int, crossed: bool
) -> None:
    looks = Looks()
    lane = Lane(Endpoint("http", "127.0.0.1", 9), BRIEF, looks)
    lane.connected_in_ns = connected_ms * 1_000_000
    monkeypatch.setattr(time, "monotonic_ns", lambda: ended_ms * 1_000_000)
    assert line_module._crossed(Heard(b"", 0, [], End.CLOSED, "", []), lane) is crossed
    looks.close()
