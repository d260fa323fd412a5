"""A server that stops altogether for a part of every period, and what those who come at a constant rate must see of it.

``python -m tests.load.freezing FREEZE PERIOD`` serves the streams of ``guide`` on a free port, that it prints. Nothing is read, answered or accepted
while it is frozen: its one thread waits.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).parents[2]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
SESSIONS = itertools.count(1)


def true_responses(rate: float, seconds: float, freeze: float, period: float) -> list[float]:
    """The response time of every turn that is due, in seconds: what is left of the freeze in which it is, and nothing outside of one.

    The server's own work, which is some microseconds a turn, is left out: what queues in a freeze is answered in one go at its end.
    """
    due = [number / rate for number in range(round(rate * seconds))]
    return [max(freeze - at % period, 0.0) for at in due]


def true_quantile(share: float, rate: float, seconds: float, freeze: float, period: float) -> float:
    """A quantile of these, in seconds."""
    ordered = sorted(true_responses(rate, seconds, freeze, period))
    return ordered[max(math.ceil(share * len(ordered) - 1e-9), 1) - 1]


class Frozen(asyncio.Protocol):
    """One connection: each request is answered at once, with a session of its own."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._waiting = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            length = next(
                int(line[15:]) for line in self._waiting[:end].split(b"\r\n") if line.startswith(b"Content-Length")
            )
            if len(self._waiting) < end + 4 + length:
                return
            asked = json.loads(self._waiting[end + 4 : end + 4 + length])
            self._waiting = self._waiting[end + 4 + length :]
            self._transport.write(answer(asked))


def answer(asked: dict[str, Any]) -> bytes:
    """A short stream."""
    session = asked.get("session_id") or f"s-{next(SESSIONS)}"
    usage = {"input_tokens": 1, "output_tokens": 2}
    payloads: list[dict[str, Any]] = [{"type": "token", "content": "yes, "}, {"type": "token", "content": "of course"}]
    payloads.append({"type": "done", "session_id": session, "usage": usage})
    events = [f"data: {json.dumps(payload)}\n\n".encode() for payload in payloads]
    return HEAD + b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events) + b"0\r\n\r\n"


async def serve(freeze: float, period: float) -> None:
    """Frozen at the beginning of every period but the first."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Frozen, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    began, never = loop.time(), threading.Event()

    def stop(number: int) -> None:
        until = began + number * period + freeze
        while (left := until - loop.time()) > 0:
            never.wait(left)
        loop.call_at(began + (number + 1) * period, stop, number + 1)

    loop.call_at(began + period, stop, 1)
    await server.serve_forever()


@contextmanager
def freezing(freeze: float, period: float) -> Iterator[str]:
    """Such a server in a process of its own; its base URL."""
    command = [sys.executable, "-m", "tests.load.freezing", str(freeze), str(period)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), float(sys.argv[2])))
