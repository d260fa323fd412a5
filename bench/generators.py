"""Those who ask: one load process of ours, users as Locust has them, and the fastest bare client. Each in a process of its own.

``python -m bench.generators NAME PORT json|stream [PROCESSES USERS]`` prints how many turns a second were answered, and the processor time of one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from .canned import EVENTS, HOST

USERS, SECONDS = 20, 4
BODY = {"agent_id": "agent", "message": "hello hello hello"}


def ours(port: int, stream: bool, processes: int = 1, users: int = USERS) -> dict[str, float]:
    """Closed users without a pause, and all that a run does beside: reading, accounts, canary words. No samples: they are judged afterwards."""
    from chatproof.load.patch import patch

    patch()
    from chatproof.conformance.profile import Profile
    from chatproof.load.plan import Plan
    from chatproof.load.run import run

    profile = Profile(f"http://{HOST}:{port}", "guide", {"valid": "key"}, {"default": "agent"})
    plan = Plan(profile, None, users, SECONDS + 1, stream=stream, think=0.0, sample=0)
    ledger = run(plan, processes=processes).ledger
    whole = [ledger.bins[index].counts["ok"] for index in range(1, SECONDS + 1) if index in ledger.bins]
    cpu_s, every = sum(ledger.cpu_s), max(ledger.outcomes["ok"], 1)
    turns = sum(whole) / max(len(whole), 1)
    return {
        "turns": turns,
        "us": cpu_s / every * 1e6,
        "failed": ledger.number("errors"),
        "all": ledger.counters["finished"],
    }


def by_lines(response: Any) -> Iterator[bytes]:
    """Lines off the socket, as soon as they are there; Locust's own ``iter_lines`` waits for a kilobyte."""
    while line := response._response.readline(b"\n"):
        yield line


def by_iter_lines(response: Any) -> Iterator[bytes | str]:
    """Lines as Locust's users have them."""
    yield from response.iter_lines()


def stock(port: int, stream: bool, fast: bool, lines: Callable[[Any], Iterator[bytes | str]]) -> dict[str, float]:
    """A user of Locust that reads each event and its JSON, as one would write it."""
    import gevent
    from locust import FastHttpUser, HttpUser, task
    from locust.env import Environment

    body = {**BODY, "stream": stream}

    def read(response: Any) -> None:
        if not stream:
            response.json()
            return
        for line in lines(response):
            text = line.decode() if isinstance(line, bytes) else line
            if text.startswith("data: "):
                json.loads(text[6:])

    class Fast(FastHttpUser):
        host = f"http://{HOST}:{port}"

        @task
        def chat(self) -> None:
            read(self.client.post("/chat", json=body, stream=stream))

    class Plain(HttpUser):
        host = f"http://{HOST}:{port}"

        @task
        def chat(self) -> None:
            with self.client.post("/chat", json=body, stream=stream, catch_response=True) as response:
                read(response)

    environment = Environment(user_classes=[Fast if fast else Plain])
    runner = environment.create_local_runner()
    runner.start(USERS, USERS)
    gevent.sleep(1)
    total = environment.stats.total
    before, began = total.num_requests, time.process_time()
    gevent.sleep(SECONDS)
    turns, spent, failed = total.num_requests - before, time.process_time() - began, total.num_failures
    runner.quit()
    return {"turns": turns / SECONDS, "us": spent / max(turns, 1) * 1e6, "failed": failed}


def bare(port: int, stream: bool) -> dict[str, float]:
    """Raw connections that look for the end of an answer and read nothing of it."""
    from .client import Wanted, talk

    try:
        from uvloop import run
    except ImportError:
        run = asyncio.run
    body = json.dumps({**BODY, "stream": stream}).encode()
    head = (
        f"POST /chat HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    wanted = Wanted(events=len(EVENTS)) if stream else Wanted(holds=b"You said")
    began = time.process_time()
    turns = run(talk(port, lambda number, turn: request, wanted, USERS, SECONDS))
    return {"turns": turns / SECONDS, "us": (time.process_time() - began) / max(turns, 1) * 1e6, "failed": 0}


GENERATORS: dict[str, Callable[[int, bool], dict[str, float]]] = {
    "chatproof": ours,
    "FastHttpUser": lambda port, stream: stock(port, stream, True, by_lines),
    "FastHttpUser.iter_lines": lambda port, stream: stock(port, stream, True, by_iter_lines),
    "HttpUser": lambda port, stream: stock(port, stream, False, by_iter_lines),
    "bare uvloop client": bare,
}


def main(name: str, port: str, kind: str, processes: str = "", users: str = "") -> None:
    stream = kind == "stream"
    found = ours(int(port), stream, int(processes), int(users)) if processes else GENERATORS[name](int(port), stream)
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
