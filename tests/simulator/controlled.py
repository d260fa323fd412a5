"""A backend with its control API, for tests: both on free ports, in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from chatproof.simulator.app import Running, load, run, serving
from chatproof.simulator.backend import Backend
from chatproof.simulator.control.server import controlling
from chatproof.simulator.control.world import World
from chatproof.simulator.metrics import Metrics
from chatproof.spec import FrozenClock


@dataclass
class Desk:
    """Both servers, and how to ask them."""

    server: Running
    control: str
    log: list[str]
    token: str | None = None
    client: httpx.Client = field(default_factory=httpx.Client)

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """One request to the control API."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        given = {} if body is None else {"json": body}
        return self.client.request(method, self.control + path, **{"headers": headers, **given, **more})

    def get(self, path: str) -> Any:
        reply = self.ask("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        reply = self.ask("POST", path, body)
        assert reply.status_code == status, reply.text
        return reply.json()

    def delete(self, path: str) -> Any:
        reply = self.ask("DELETE", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def problem(self, method: str, path: str, body: Any, status: int) -> str:
        reply = self.ask(method, path, body)
        assert reply.status_code == status, reply.text
        return str(reply.json()["error"]["message"])

    def chat(
        self, agent: str = "echo", message: str = "Hi", key: str = "key-valid", at: str = "", **more: Any
    ) -> httpx.Response:
        """One chat with the backend itself."""
        body = {"agent_id": agent, "message": message, "stream": False, **more}
        url = f"{at or self.server.url('guide')}/chat"
        return self.client.post(url, json=body, headers={"Authorization": f"Bearer {key}"})


@contextmanager
def controlled(token: str | None = None, **bent: Any) -> Iterator[Desk]:
    """Both, until the block ends."""
    started: Future[tuple[Running, str, Callable[[], object]]] = Future()
    log: list[str] = []

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        metrics = Metrics()
        async with serving(Backend(load(None), 7, **bent), FrozenClock()) as server:
            server.journal.heard.append(metrics)
            async with controlling(World(server, metrics, log.append), "127.0.0.1", 0, token) as url:
                started.set_result((server, url, lambda: loop.call_soon_threadsafe(stop.set)))
                await stop.wait()

    thread = threading.Thread(target=run, args=(main,))
    thread.start()
    server, url, stop = started.result(10)
    desk = Desk(server, url, log, token)
    try:
        yield desk
    finally:
        desk.client.close()
        stop()
        thread.join()
