"""Targets that answer with prebuilt bytes, so that a generator is what is measured: a protocol on uvloop (or asyncio), and ``lean.c``.

``python -m bench.canned PORT TEXTS`` is the first of them. It answers each request by what its body asks for: events in chunks, or JSON.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

HOST = "127.0.0.1"
SOURCE = Path(__file__).with_name("lean.c")
LIMITS = {"X-RateLimit-Limit": "600000", "X-RateLimit-Remaining": "599999", "X-RateLimit-Reset": "1767225660"}
REPLY = '{"response": "You said: hello hello hello", "session_id": "s", "usage": {"input_tokens": 45, "output_tokens": 128, "total_tokens": 173}}'
EVENTS = [f'data: {{"type": "token", "content": " word{number}"}}\n\n' for number in range(20)]
EVENTS.append('data: {"type": "done", "session_id": "s", "usage": {"input_tokens": 20, "output_tokens": 22}}\n\n')
HEAD = "".join(f"{name}: {value}\r\n" for name, value in LIMITS.items())
OK = "HTTP/1.1 200 OK\r\nContent-Type: "
JSON_ANSWER = f"{OK}application/json\r\n{HEAD}Content-Length: {len(REPLY)}\r\n\r\n{REPLY}".encode()


def stream_answer(texts: int) -> bytes:
    """A stream of so many texts and the event that ends it, an event a chunk."""
    *words, done = EVENTS
    events = [*(words[number % len(words)] for number in range(texts)), done]
    chunks = "".join(f"{len(event):x}\r\n{event}\r\n" for event in events)
    return f"{OK}text/event-stream\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n".encode()


class Answers(asyncio.Protocol):
    """One prebuilt answer to each request: a stream where the body asks for one."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._waiting = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            head = self._waiting[:end].lower()
            at = head.find(b"content-length:")
            size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._waiting) < end + 4 + size:
                return
            body, self._waiting = self._waiting[end + 4 : end + 4 + size], self._waiting[end + 4 + size :]
            streams = b'"stream": true' in body or b'"stream":true' in body
            self._transport.write(self._stream if streams else JSON_ANSWER)


def free_ports(count: int) -> list[int]:
    """Ports that nobody has just now."""
    free = [socket.create_server((HOST, 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in free]
    finally:
        for one in free:
            one.close()


def await_port(port: int, tries: int = 500) -> None:
    """Until somebody listens there; ``ConnectionError`` if nobody comes to."""
    for _ in range(tries):
        try:
            socket.create_connection((HOST, port), 0.1).close()
            return
        except OSError:
            asyncio.run(asyncio.sleep(0.01))
    raise ConnectionError(f"nobody listens on port {port}")


class Target(NamedTuple):
    """A target in a process of its own."""

    port: int
    pid: int


@contextmanager
def canned(core: int | None, texts: int = 20) -> Iterator[Target]:
    """The protocol, on that core; its streams have so many texts."""
    (port,) = free_ports(1)
    with _process([sys.executable, "-m", "bench.canned", str(port), str(texts)], port, core) as pid:
        yield Target(port, pid)


@contextmanager
def lean(texts: int = 20) -> Iterator[Target]:
    """The C program, which takes as little of the processor as a target can; ``FileNotFoundError`` where nothing compiles it."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError("cc")
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        program, *files = (str(Path(folder) / name) for name in ("lean", "json", "stream"))
        subprocess.run([compiler, "-O2", "-o", program, str(SOURCE)], check=True)
        for path, answer in zip(files, (JSON_ANSWER, stream_answer(texts)), strict=True):
            Path(path).write_bytes(answer)
        with _process([program, str(port), *files], port, None) as pid:
            yield Target(port, pid)


@contextmanager
def _process(command: list[str], port: int, core: int | None) -> Iterator[int]:
    server = subprocess.Popen(command)
    try:
        if core is not None:
            os.sched_setaffinity(server.pid, {core})
        await_port(port)
        yield server.pid
    finally:
        server.terminate()
        server.wait()


async def serve(port: int, texts: int) -> None:
    made = partial(Answers, stream_answer(texts))
    server = await asyncio.get_running_loop().create_server(made, HOST, port, backlog=1000)
    await server.serve_forever()


def main() -> None:
    port, texts = map(int, sys.argv[1:3])
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(port, texts))
    else:
        uvloop.run(serve(port, texts))


if __name__ == "__main__":
    main()
