"""A client that costs little beside a server: raw connections that ask again as soon as they are answered.

An answer counts only when it is whole and what it should be; one that is not stops the bench.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

Ask = Callable[[int, int], bytes]
BLOCK = b"\n\n"
LAST_CHUNK = b"0\r\n\r\n"
LENGTH = b"content-length: "
PATIENCE_S = 60.0
"""How much longer than planned a server may take before a bench gives up, in seconds."""


class Wrong(Exception):
    """An answer that is not what was asked for."""


@dataclass(frozen=True)
class Wanted:
    """What every answer must be: JSON that holds these bytes, or a stream of so many events."""

    holds: bytes = b""
    events: int = 0

    def whole(self, got: bytes) -> bool:
        """Whether an answer has come to its end; ``Wrong`` if it is another one than wanted."""
        if self.events:
            if not got.endswith(LAST_CHUNK):
                return False
            good = got.count(BLOCK) == self.events
        else:
            head, _, body = got.partition(b"\r\n\r\n")
            if not body or not ended(head.lower(), body):
                return False
            good = self.holds in body
        if not good or not got.startswith(b"HTTP/1.1 200 "):
            raise Wrong(repr(got[:400]))
        return True


def ended(head: bytes, body: bytes) -> bool:
    """Whether a body is as long as its head (in lower case) announces, or has its last chunk."""
    length = head.partition(LENGTH)[2].partition(b"\r")[0]
    return len(body) >= int(length) if length else body.endswith(LAST_CHUNK)


@dataclass
class Round:
    """Requests one after the other on each of some connections, until ``ends``."""

    ask: Ask
    wanted: Wanted
    ends: float
    done: int = 0
    failed: Exception | None = None


class Talker(asyncio.Protocol):
    """One kept connection."""

    def __init__(self, number: int, shared: Round, over: asyncio.Future[None]) -> None:
        self._number, self._shared, self._over = number, shared, over
        self._turn = 0
        self._got = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._shared.ask(self._number, 0))

    def data_received(self, data: bytes) -> None:
        self._got += data
        try:
            if not self._shared.wanted.whole(self._got):
                return
        except (Wrong, ValueError) as error:
            self._shared.failed = error
            return self._stop()
        self._got = b""
        self._turn += 1
        if time.perf_counter() >= self._shared.ends:
            return self._stop()
        self._shared.done += 1
        assert self._transport is not None
        self._transport.write(self._shared.ask(self._number, self._turn))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over.done():
            self._shared.failed = exc or ConnectionError("the server hung up")
            self._over.set_result(None)

    def _stop(self) -> None:
        if not self._over.done():
            self._over.set_result(None)
        if self._transport is not None:
            self._transport.abort()


async def talk(port: int, ask: Ask, wanted: Wanted, connections: int, seconds: float) -> int:
    """How many answers came in that time; ``Wrong`` or ``ConnectionError`` if one was not as wanted."""
    loop = asyncio.get_running_loop()
    shared = Round(ask, wanted, time.perf_counter() + seconds)
    ends = [loop.create_future() for _ in range(connections)]
    for number, over in enumerate(ends):
        await loop.create_connection(partial(Talker, number, shared, over), "127.0.0.1", port)
    async with asyncio.timeout(seconds + PATIENCE_S):
        await asyncio.gather(*ends)
    if shared.failed is not None:
        raise shared.failed
    return shared.done
