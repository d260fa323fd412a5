"""The judge's channel against a server that plays literal bytes."""

from __future__ import annotations

from chatproof.conformance.ask import Ask
from chatproof.conformance.channel import WireChannel
from chatproof.conformance.exchange import End
from chatproof.spec import dialect

from .played import CHUNKED, server
from .recorded import known

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
