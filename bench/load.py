"""How many turns a second one load process takes, beside Locust's own users doing the same; and the error of its times. Prints tables.

Run as ``python -m bench.load [rounds]``. The target answers with prebuilt bytes, so that the generator is what is measured; the candidates take
turns, so that a busy machine harms all alike. ``calibrate`` at the end is the simulator with known pauses, by streams at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from typing import cast

USERS, SECONDS = 20, 4.0
HOST = "127.0.0.1"
LIMITS = b"X-RateLimit-Limit: 600000\r\nX-RateLimit-Remaining: 599999\r\nX-RateLimit-Reset: 1767225660\r\n"
REPLY = b'{"response": "You said: hello hello hello", "session_id": "s", "usage": {"input_tokens": 45, "output_tokens": 128, "total_tokens": 173}}'
EVENTS = [b'data: {"type": "token", "content": " word%d"}\n\n' % number for number in range(20)]
EVENTS.append(b'data: {"type": "done", "session_id": "s", "usage": {"input_tokens": 20, "output_tokens": 22}}\n\n')
JSON_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b" % (
    LIMITS,
    len(REPLY),
    REPLY,
)
STREAM_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%bTransfer-Encoding: chunked\r\n\r\n" % LIMITS
    + b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in EVENTS)
    + b"0\r\n\r\n"
)


class Answers(asyncio.Protocol):
    """One prebuilt answer to each request: a stream where the body asks for one."""

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
            self._transport.write(STREAM_ANSWER if streams else JSON_ANSWER)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Answers, HOST, port, backlog=1000)
    await server.serve_forever()


def ours(port: int, stream: bool) -> dict[str, float]:
    """Closed users without a pause, and all that a run does beside: reading, accounts, canary words. No samples: they are judged afterwards."""
    from chatproof.load.patch import patch

    patch()
    from chatproof.conformance.profile import Profile
    from chatproof.load.plan import Plan
    from chatproof.load.run import run

    profile = Profile(f"http://{HOST}:{port}", "guide", {"valid": "key"}, {"default": "agent"})
    plan = Plan(profile, None, USERS, SECONDS, stream=stream, think=0.0, sample=0)
    ledger = run(plan).ledger
    turns = ledger.outcomes["ok"]
    return {"turns": turns / SECONDS, "us": sum(ledger.cpu_s) / max(turns, 1) * 1e6}


def theirs(port: int, stream: bool, fast: bool) -> dict[str, float]:
    """A Locust user that reads each event and its JSON, as a user of Locust would write it."""
    import gevent
    from locust import FastHttpUser, HttpUser, task
    from locust.env import Environment

    body = {"agent_id": "agent", "message": "hello hello hello", "stream": stream}

    def read(lines: Iterable[bytes | str]) -> None:
        for line in lines:
            text = line.decode() if isinstance(line, bytes) else line
            if text.startswith("data: "):
                json.loads(text[6:])

    class Fast(FastHttpUser):
        host = f"http://{HOST}:{port}"

        @task
        def chat(self) -> None:
            response = self.client.post("/chat", json=body, stream=stream)
            if stream:
                read(response.iter_lines())
            else:
                response.json()

    class Plain(HttpUser):
        host = f"http://{HOST}:{port}"

        @task
        def chat(self) -> None:
            with self.client.post("/chat", json=body, stream=stream, catch_response=True) as response:
                if stream:
                    read(response.iter_lines())
                else:
                    response.json()

    environment = Environment(user_classes=[Fast if fast else Plain])
    runner = environment.create_local_runner()
    runner.start(USERS, USERS)
    gevent.sleep(0.5)
    before, began = environment.stats.total.num_requests, time.process_time()
    gevent.sleep(SECONDS)
    turns = environment.stats.total.num_requests - before
    spent = time.process_time() - began
    runner.quit()
    return {"turns": turns / SECONDS, "us": spent / max(turns, 1) * 1e6}


def one(name: str, port: int, stream: bool) -> dict[str, float]:
    return ours(port, stream) if name == "chatproof" else theirs(port, stream, name == "FastHttpUser")


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(int(sys.argv[2])))
    elif sys.argv[1:2] == ["--one"]:
        print("\n" + json.dumps(one(sys.argv[2], int(sys.argv[3]), sys.argv[4] == "stream")))
    else:
        compare(int(sys.argv[1]) if len(sys.argv) > 1 else 3)


def compare(rounds: int) -> None:
    with socket.create_server((HOST, 0)) as free:
        port = str(free.getsockname()[1])
    me = [sys.executable, "-m", "bench.load"]
    server = subprocess.Popen([*me, "--serve", port])
    names, kinds = ("chatproof", "FastHttpUser", "HttpUser"), ("json", "stream")
    found: dict[tuple[str, str], list[dict[str, float]]] = {(name, kind): [] for name in names for kind in kinds}
    try:
        for _ in range(rounds):
            for (name, kind), rows in found.items():
                done = subprocess.run([*me, "--one", name, port, kind], capture_output=True, text=True, check=False)
                rows.append(json.loads(done.stdout.strip().splitlines()[-1]))
    finally:
        server.terminate()
        server.wait()
    print(f"one process, {USERS} users, medians of {rounds} rounds; a stream has {len(EVENTS)} events")
    for kind in kinds:
        base = statistics.median(row["turns"] for row in found["FastHttpUser", kind])
        print(f"\n{kind:<8}{'turns/s':>12}{'events/s':>12}{'us/turn':>10}{'x FastHttpUser':>16}")
        for name in names:
            turns = statistics.median(row["turns"] for row in found[name, kind])
            spent = statistics.median(row["us"] for row in found[name, kind])
            events = turns * (len(EVENTS) if kind == "stream" else 0)
            print(f"{name:<14}{turns:>6.0f}{events:>12.0f}{spent:>10.0f}{turns / max(base, 1):>16.2f}")
    print("\nthe error of times, by streams at once")
    subprocess.run(
        [sys.executable, "-m", "chatproof", "load", "calibrate"],
        check=False,
        env={**os.environ, "XDG_CACHE_HOME": tempfile.gettempdir()},
    )


if __name__ == "__main__":
    main()
