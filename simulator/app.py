"""The only socket: aiohttp reads requests, the backend plans replies, the pacer writes them to the transport.

aiohttp's own way to write (headers as objects, a coroutine hop an event) costs more than the rest of a reply and hides the
bytes; so the handler writes a plan itself and gives aiohttp a response that is already sent.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp.web_runner import ServerRunner, TCPSite

from ..spec import Clock, Dialect, ScaledClock, dialect, names
from . import lines
from .backend import Backend
from .connections import PATIENCE, Patience, most_connections
from .course import PLAIN, Course
from .door import Door
from .front import Front, Log
from .journal import Entry, Journal
from .latency import Latency
from .pacer import Pacer
from .scopes import Scopes

BACKLOG = 4096
LAST_PORT = 65_535
DRAIN_S = 5.0
"""How long a stop waits for responses under way, in seconds."""

Line = Callable[[Entry], str]


@dataclass(frozen=True)
class Running:
    """A backend that serves. ``base_url``: the shared root, without a slash at its end."""

    base_url: str
    backend: Backend
    clock: Clock
    journal: Journal
    scopes: Scopes
    loop: asyncio.AbstractEventLoop
    thread: int
    pacer: Pacer
    course: Course = PLAIN

    def url(self, name: str) -> str:
        """The base URL of that dialect's own paths; ``KeyError`` if it is not served."""
        return self.base_url + self.backend.routes.base_path(self.backend.realms[name].dialect)


@asynccontextmanager
async def serving(
    backend: Backend,
    clock: Clock,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    log: Log | None = None,
    line: Line = lines.plain,
    journal: Journal | None = None,
    course: Course = PLAIN,
    max_connections: int | None = None,
    patience: Patience = PATIENCE,
) -> AsyncIterator[Running]:
    """Serve on the running loop until the block ends; then wait for responses under way, ``DRAIN_S`` at most.

    ``log``: hears of every request, in a ``line``. ``max_connections``: as many as the system allows, if not said.
    ``patience``: how long a client may take to send a request. ``course``: writes or replays a decision log. ``OSError`` if the address
    cannot be had, ``OverflowError`` for no port at all.
    """
    if not 0 <= port <= LAST_PORT:
        raise OverflowError(f"port must be 0-{LAST_PORT}.")  # which uvloop would take modulo
    loop = asyncio.get_running_loop()
    kept = Journal() if journal is None else journal
    if log is not None:
        kept.heard.append(lambda entry: log(line(entry)))
    backend.armoury.begin(clock.now())
    scopes = Scopes(backend, clock)
    front = Front(scopes, Pacer(loop, clock), log, kept, course, patience)
    most = most_connections() if max_connections is None else max_connections
    server = Door(
        front, most=most, now=clock.now, patience=patience, access_log=None, logger=silent(), handler_cancellation=True
    )
    runner = ServerRunner(server, shutdown_timeout=DRAIN_S / 2)  # aiohttp waits that long twice
    await runner.setup()
    try:
        await TCPSite(runner, host, port, backlog=BACKLOG).start()
        url = address_url(runner.addresses[0])
        yield Running(url, backend, clock, kept, scopes, loop, threading.get_ident(), front.pacer, course)
    finally:
        front.stopping = True
        await runner.cleanup()


@contextmanager
def running(
    dialects: Sequence[str | Path | Dialect] | None = None,
    *,
    seed: int = 0,
    clock: Clock | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    variant: str | None = None,
    fault: str | Sequence[str] | None = None,
    script: str | Path | None = None,
    rulings: Mapping[str, str] | None = None,
    limits: bool = True,
    log: Log | None = None,
    journal: Journal | None = None,
    latency: Latency | None = None,
    course: Callable[[Backend], Course] | None = None,
    magic: bool = True,
    max_connections: int | None = None,
    patience: Patience = PATIENCE,
) -> Iterator[Running]:
    """A backend in a thread of its own, for as long as the block lasts. ``dialects``: names, folders or nouns; all by default.

    ``script``: a file of agents, keys and plans; ``BadFile`` if it is a bad one. ``rulings``, ``limits`` and ``magic``: as for ``Backend``;
    ``max_connections`` and ``patience`` as for ``serving``. ``course``: makes what writes or replays a decision log.
    """
    backend = Backend(
        load(dialects),
        seed,
        variant=variant,
        fault=fault,
        latency=latency,
        rulings=rulings,
        limits=limits,
        magic=magic,
    )
    if script is not None:
        from .script.reading import load as read_script

        backend.perform(read_script(script, backend.routes.dialects))
    made = PLAIN if course is None else course(backend)
    started: Future[tuple[Running, asyncio.Event]] = Future()

    async def main() -> None:
        stop = asyncio.Event()
        try:
            async with serving(
                backend,
                clock or ScaledClock(),
                host=host,
                port=port,
                log=log,
                journal=journal,
                max_connections=max_connections,
                patience=patience,
                course=made,
            ) as server:
                started.set_result((server, stop))
                await stop.wait()
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, args=(main,), name="chatproof-simulator", daemon=True)
    thread.start()
    server, stop = started.result()
    try:
        yield server
    finally:
        server.loop.call_soon_threadsafe(stop.set)
        thread.join()


def load(dialects: Sequence[str | Path | Dialect] | None) -> list[Dialect]:
    """The dialects of those names or folders, all packaged ones for ``None``; ``UnknownDialect`` or ``BadFile``."""
    chosen = names() if dialects is None else dialects
    return [one if isinstance(one, Dialect) else dialect(one) for one in chosen]


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine function to its end, on uvloop where it is installed."""
    try:
        loop_factory = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        loop_factory = None
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())


def address_url(address: tuple[str, int]) -> str:
    """The URL of an address that is listened on."""
    host, port = address[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost",)


def silent() -> logging.Logger:
    """aiohttp reports every client's bad request with a traceback; its answer to that client is enough."""
    logger = logging.getLogger("chatproof.simulator")
    logger.setLevel(logging.CRITICAL + 1)
    return logger
