"""Well-known ways to read a stream, each against what is legal: does the text come out that was put in?

Every loop is the shortest one that its library's users write. What they read is compared with the text of the same reply without
anything in force, so nothing here is a matter of opinion.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import requests
from httpx_sse import EventSource

from chatproof import Sim, Simulator
from chatproof.simulator.demonstration import Shown, composed, demonstration
from chatproof.simulator.faults import CATALOGUE
from chatproof.spec import Dialect, dialect

PARSER = Path(__file__).parents[1] / "laws" / "eventsource"
DATA = "data: "
LEGAL = tuple(fault.name for fault in CATALOGUE.values() if fault.kind == "legal")
TOLD = {"gzip": {"Accept-Encoding": "gzip"}}
PLAIN = "unicode"
"""The agent that says every kind of character, where a fault needs no other."""

_client = cache(lambda: httpx.Client(verify=False, trust_env=False))
"""One for all: to make one costs more than to read a stream."""
Read = Callable[[str, bytes, dict[str, str]], list[str]]


def httpx_sse(url: str, body: bytes, headers: dict[str, str]) -> list[str]:
    with _client().stream("POST", url, content=body, headers=headers) as response:
        return [event.data for event in EventSource(response).iter_sse()]


def httpx_lines(url: str, body: bytes, headers: dict[str, str]) -> list[str]:
    with _client().stream("POST", url, content=body, headers=headers) as response:
        return [line[len(DATA) :] for line in response.iter_lines() if line.startswith(DATA)]


def requests_lines(url: str, body: bytes, headers: dict[str, str]) -> list[str]:
    with requests.Session() as session, session.post(url, data=body, headers=headers, stream=True) as response:
        lines = (line.decode() for line in response.iter_lines())
        return [line[len(DATA) :] for line in lines if line.startswith(DATA)]


def aiohttp_lines(url: str, body: bytes, headers: dict[str, str]) -> list[str]:
    async def read() -> list[str]:
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
            lines = [line.decode().rstrip("\r\n") async for line in response.content]
            return [line[len(DATA) :] for line in lines if line.startswith(DATA)]

    return asyncio.run(read())


def each_read(url: str, body: bytes, headers: dict[str, str]) -> list[str]:
    """Splits every read by itself, as pages do that decode what ``reader.read()`` gives."""
    with _client().stream("POST", url, content=body, headers=headers) as response:
        texts = (part.decode("utf-8", "replace") for part in response.iter_bytes())
        lines = [line for text in texts for line in text.split("\n")]
        return [line[len(DATA) :] for line in lines if line.startswith(DATA)]


def parser_of(process: subprocess.Popen[bytes]) -> Read:
    """npm's eventsource-parser, fed with what arrives."""

    def read(url: str, body: bytes, headers: dict[str, str]) -> list[str]:
        with _client().stream("POST", url, content=body, headers=headers) as response:
            parts = [b64encode(part).decode() for part in response.iter_bytes()]
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"parts": parts, "end": True}).encode() + b"\n")
        process.stdin.flush()
        return [data for _, data, _ in json.loads(process.stdout.readline())["events"]]

    return read


LOOPS: dict[str, Read] = {
    "httpx-sse": httpx_sse,
    "httpx, lines": httpx_lines,
    "requests, lines": requests_lines,
    "aiohttp, lines": aiohttp_lines,
    "each read by itself": each_read,
}


@contextmanager
def loops() -> Iterator[dict[str, Read]]:
    """All of them; eventsource-parser only where node and it are installed."""
    node = shutil.which("node")
    if node is None or not (PARSER / "node_modules" / "eventsource-parser").is_dir():
        yield LOOPS
        return
    with subprocess.Popen([node, "read.mjs"], cwd=PARSER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield {"eventsource-parser": parser_of(process), **LOOPS}
        assert process.stdin is not None
        process.stdin.close()


def table(names: Iterable[str] = LEGAL) -> dict[str, dict[str, str]]:
    """Fault -> loop -> ``ok``, or what came instead in a word or two."""
    with Simulator(clock="frozen") as sim, loops() as reads:
        return {name: {loop: outcome(sim, read, name) for loop, read in reads.items()} for name in names}


shown_by = cache(lambda name: demonstration(CATALOGUE[name]))


def outcome(sim: Sim, read: Read, name: str) -> str:
    """What becomes of a reply under that fault, read so."""
    shown = shown_by(name)
    agent = shown.requests[0].agent
    one, asked = shown.dialect, Shown(PLAIN if agent == "echo" else agent)
    try:
        got = _text(one, _read(sim, read, one, asked, name))
    except Exception as error:  # noqa: BLE001  (whatever a loop raises is its answer)
        return f"raises {type(error).__name__}"
    if got == _plain(sim, one.name, asked):
        return "ok"
    return "another text" if got else "no text, no error"


@cache
def _plain(sim: Sim, dialect_name: str, asked: Shown) -> str:
    """The text without anything in force."""
    one = dialect(dialect_name)
    return _text(one, _read(sim, httpx_sse, one, asked, None))


def _read(sim: Sim, read: Read, one: Dialect, asked: Shown, name: str | None) -> list[str]:
    target, headers, body = composed(one, asked, name or "")
    more = TOLD.get(name or "", {"Accept-Encoding": "identity"})
    kept = {key: value for key, value in headers if name or not key.startswith("X-")}
    return read(sim.url(one.name) + target, body.encode(), {**kept, **more})


def _text(one: Dialect, data: list[str]) -> str:
    """The pieces of text put together, as a client does that knows the API; up to the end."""
    row = next(row for row in one.stream if row.event == "delta")
    literal = next((row.literal for row in one.stream if row.literal), None)
    (pointer,) = row.shape.roles["text"]
    texts: list[str] = []
    for text in data:
        if text == literal:
            break
        value: Any = json.loads(text)
        fits = all(value.get(at.lstrip("/")) == constant for at, constant in row.shape.constants.items())
        texts.append(value.get(pointer.lstrip("/"), "") if fits else "")
    return "".join(texts)
