"""Recording in tests: a proxy in a thread, requests in any dialect, and what came back as meaning, read by the judge's reader."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from chatproof.conformance import reading, sse
from chatproof.simulator.app import load, run
from chatproof.simulator.pointer import put
from chatproof.simulator.record.serve import Recording, recording
from chatproof.simulator.routes import Routes
from chatproof.spec import dialect


@dataclass(frozen=True)
class Ask:
    """One request of a conversation. ``path``: what stands before the dialect's own paths."""

    api: str
    agent: str
    message: str
    session: str | None = None
    stream: bool = True
    key: str = "key-valid"

    def send(self, url: str, key: str | None = None) -> httpx.Response:
        """To the server at ``url``, with that key instead if one is given."""
        spec = dialect(self.api)
        operation = (spec.operation("stream") if self.stream else None) or spec.operation("switched")
        assert operation is not None
        body: dict[str, Any] = {}
        roles = {"agent": self.agent, "message": self.message, "session": self.session}
        for role, value in roles.items():
            if role in spec.request.chat and value is not None:
                put(body, spec.request.chat[role][0], value)
        headers = {"Authorization": f"Bearer {key or self.key}"}
        if spec.request.switch.accept and self.stream:
            headers["Accept"] = "text/event-stream"
        if operation.mode == "switched":
            put(body, spec.request.chat["stream"][0], self.stream)
        target = url + operation.path.replace("{agent}", self.agent)
        return httpx.post(target, json=body, headers=headers, timeout=10, verify=False)


def meaning(api: str, response: httpx.Response, *, codes: bool = False) -> tuple[int, list[Any]]:
    """The status, and the events of a stream, the roles of a reply, or the words of a refusal (with ``codes`` its code too)."""
    spec = dialect(api)
    if response.status_code != 200:
        rows = [row for row in spec.errors.values() if row.status == response.status_code]
        said = reading.roles(response.json(), rows[0].shape)
        return response.status_code, [said.get("message"), said.get("retry_after"), codes and said.get("code")]
    if response.headers["content-type"].lower().startswith("text/event-stream"):
        return 200, [reading.event(event.data, spec) for event in sse.read(response.content).events]
    roles = reading.roles(response.json(), spec.reply)
    return 200, [{role: value for role, value in roles.items() if role != "model"}]


@contextmanager
def recorder(upstream: str, out: Path, dialects: Sequence[str] | None = None) -> Iterator[Recording]:
    """A proxy in front of ``upstream``; when the block has ended, the script is written."""
    started: Future[tuple[Recording, Callable[[], object]]] = Future()

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        try:
            async with recording(upstream, out, Routes(load(dialects))) as made:
                started.set_result((made, lambda: loop.call_soon_threadsafe(stop.set)))
                await stop.wait()
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, args=(main,))
    thread.start()
    made, stop = started.result(10)
    try:
        yield made
    finally:
        stop()
        thread.join()
