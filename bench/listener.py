"""Many streams at once, read by one thread as cheaply as Python can: what came is noted when it came, and looked at when all is over."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .client import BLOCK, LAST_CHUNK, PATIENCE_S, Wrong

GLANCE_S = 1.5
"""After how many seconds all streams are under way."""
READ = 65_536


@dataclass
class Heard:
    """One stream: what was read and when, in seconds of ``perf_counter``."""

    reads: list[tuple[float, bytes]] = field(default_factory=list)

    @property
    def at(self) -> list[float]:
        """When each of its events came: with the read that its last byte is in."""
        times: list[float] = []
        before = b""
        for at, data in self.reads:
            times += [at] * (before + data).count(BLOCK)
            before = data[-1:]
        return times


def listen(port: int, request: bytes, streams: int, during: Callable[[], None]) -> list[Heard]:
    """So many streams at once, each on a connection that stood before; ``during`` is called when all are under way.

    ``Wrong`` if one is no stream or broke off. The connections are closed.
    """
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(streams)]
    heard = {one.fileno(): Heard() for one in sockets}
    poll = select.epoll()
    for one in sockets:
        one.setblocking(False)
        poll.register(one.fileno(), select.EPOLLIN)
        one.send(request)
    by_file = {one.fileno(): one.recv for one in sockets}
    began = time.perf_counter()
    looked = False
    while by_file:
        for number, _ in poll.poll(0.1):
            data = by_file[number](READ)
            heard[number].reads.append((time.perf_counter(), data))
            if not data or data.endswith(LAST_CHUNK):
                poll.unregister(number)
                del by_file[number]
        if not looked and time.perf_counter() > began + GLANCE_S:
            looked = True
            during()
        if time.perf_counter() > began + PATIENCE_S:
            raise Wrong(f"{len(by_file)} streams have not ended after {PATIENCE_S:.0f} s")
    for one in sockets:
        one.close()
    for each in heard.values():
        if not each.reads[0][1].startswith(b"HTTP/1.1 200 ") or not b"".join(d for _, d in each.reads[-5:]).endswith(
            LAST_CHUNK
        ):
            raise Wrong(repr(each.reads[:3]))
    return list(heard.values())
