"""The judge's channel against a server that plays literal bytes."""

from __future__ import annotations

import time

import pytest

from chatproof.conformance.ask import Ask
from chatproof.conformance.channel import CutShort, WireChannel
from chatproof.conformance.exchange import End
from chatproof.spec import dialect

from .played import CHUNKED, server
from .recorded import known, response

PIECE, DONE = (
    b'data: {"type": "token", "content": "x"}\n\n',
    b'data: {"type": "done", "session_id": "s"}\n\n',
)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def test_streams_that_stay_open_are_waited_for_once() -> None:
    """The first shows it; every further one would cost a whole deadline. A stream without its last word is waited for."""
    ends = []
    channel = WireChannel(dialect("guide"), known(deadlines={"idle": "0.05s"}))
    for words in ((PIECE, DONE), (PIECE, DONE), (PIECE,)):
        with server(CHUNKED, *map(chunk, words), wait_for_hang_up=True) as played:
            channel.endpoint = played.endpoint
            ends.append(channel.send(Ask("stream", stream=True)).end)
    assert ends == [End.IDLE_TIMEOUT, End.LEFT, End.IDLE_TIMEOUT]


def test_the_limit_of_nobody_is_not_waited_for() -> None:
    """A target may say to a revoked key that nothing remains until the minute ends; that is no reason to wait for it."""
    waited: list[float] = []
    channel = WireChannel(dialect("guide"), known(credentials={"valid": "k", "revoked": "r"}), pause=waited.append)
    for status in (401, 401, 200, 200):
        reset = [
            ("X-RateLimit-Limit", "20"),
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", str(time.time_ns() // 10**9 + 30)),
        ]
        with server(response(status, {"response": "x"}, headers=reset)) as played:
            channel.endpoint = played.endpoint
            channel.send(Ask("x", key="revoked" if status == 401 else "valid"))
    assert [round(seconds, -1) for seconds in waited] == [30], "only the valid key's"


def test_a_target_that_answers_nothing_ends_the_run() -> None:
    """A deadline may be half a minute long, and there are hundreds of requests."""
    channel = WireChannel(dialect("guide"), known(deadlines={"first_byte": "0.02s"}))
    for _ in range(5):
        with server(wait_for_hang_up=True) as played:
            channel.endpoint = played.endpoint
            assert channel.send(Ask("x")).end is End.FIRST_BYTE_TIMEOUT
    with pytest.raises(CutShort, match="5 requests in a row"):
        channel.send(Ask("x"))


def test_only_where_times_are_judged_a_witness_says_how_late_we_were() -> None:
    channel = WireChannel(dialect("guide"), known())
    late = []
    for timed in (True, False):
        with server(response(200, {"response": "x"})) as played:
            channel.endpoint = played.endpoint
            late.append(channel.send(Ask("x", timed=timed)).asked.get("late_s"))
    assert isinstance(late[0], float)
    assert late[1] is None
