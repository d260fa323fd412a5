"""The only socket: aiohttp reads requests, the backend plans replies, the pacer writes them to the transport.

aiohttp's own way to write (headers as objects, a coroutine hop an event) costs more than the rest of a reply and hides the
bytes; so the handler writes a plan itself and gives aiohttp a response that is already sent.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse
from aiohttp.web_runner import ServerRunner, TCPSite
from aiohttp.web_server import Server

from ..spec import Clock, Dialect, ScaledClock, dialect, names
from . import lines, site
from .backend import Backend
from .bending import HURRIED, hurries
from .journal import Closed, Entry, Journal
from .magic import HEADER
from .masking import mask
from .pacer import Pacer
from .plan import About, End, Plan
from .request import BODY_LIMIT, HttpRequest
from .scopes import Scope, Scopes

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BACKLOG = 1024
REUSED = Plan((), "reset", 0, "reset on reuse", about=About(faults=("reset-on-reuse",)))
"""What becomes of the next request on a connection that was doomed."""
DRAIN_S = 5.0
"""How long a stop waits for responses under way, in seconds."""

Log = Callable[[str], None]
Line = Callable[[Entry], str]
ENDS: dict[End, Closed] = {"keep-alive": "kept", "close": "server", "reset": "reset", "doomed": "kept"}


class Sent(StreamResponse):
    """A response whose bytes have been written already."""

    def __init__(self, keep_alive: bool) -> None:
        super().__init__()
        self._keep_alive = keep_alive

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


@dataclass
class Front:
    """What answers the requests of one event loop."""

    scopes: Scopes
    pacer: Pacer
    log: Log | None
    journal: Journal
    stopping: bool = False
    doomed: set[asyncio.Transport] = field(default_factory=set)

    async def __call__(self, request: BaseRequest) -> StreamResponse:
        began = self.pacer.loop.time()
        asked = self._hurried(request) or await _read(request)
        scope, heard = self.scopes.find(asked)
        entry = self.journal.begin(asked, scope.clock.now(), began, scope.name, scope.backend.secrets)
        closed: Closed = "client"
        try:
            if request.transport in self.doomed:
                plan = entry.plan = REUSED
                self.doomed.discard(request.transport)
            else:
                plan = entry.plan = self._plan(heard, scope, entry)
            if request.transport is not None:
                drain = request.writer.drain
                await self.pacer.carry_out(plan, request.transport, drain, entry.sent, scope.clock)
                closed = ENDS[plan.end]
                if plan.end == "doomed":
                    self.doomed = {*filter(lambda one: not one.is_closing(), self.doomed), request.transport}
        except ConnectionError:
            pass
        except Exception:
            closed = "server"
            raise
        finally:
            if entry.plan is not None:
                scope.backend.finished(entry.plan)
            stopped = self.stopping and closed == "client"
            self.journal.end(entry, self.pacer.loop.time(), "stopped" if stopped else closed)
        return Sent(closed == "kept")

    def _hurried(self, request: BaseRequest) -> HttpRequest | None:
        """A request that is answered before its body is read, as far as it is known then."""
        places = (request.headers.get(HEADER, ""), request.headers.get("Authorization", ""), request.raw_path)
        told = any(HURRIED in place for place in places)
        if not told and not any(scope.backend.armoury.has(HURRIED) for scope in self.scopes):
            return None
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = _request(request, headers, b"")
        scope, heard = self.scopes.find(asked)
        return replace(asked, keep_alive=False) if hurries(scope.backend, heard) else None

    def _plan(self, asked: HttpRequest, scope: Scope, entry: Entry) -> Plan:
        try:
            page = site.page(asked, self.scopes.root.backend.routes, entry.at)
            plan = page or scope.backend.reply(asked, entry.at)
            entry.error = plan.about.error
        except Exception:
            entry.error = traceback.format_exc()
            raise
        finally:
            if entry.error:
                (self.log or _complain)(str(mask(entry.error, entry.hidden)))
        return plan


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
) -> AsyncIterator[Running]:
    """Serve on the running loop until the block ends; then wait for responses under way, ``DRAIN_S`` at most.

    ``log``: hears of every request, in a ``line``. ``OSError`` if the address cannot be had.
    """
    loop = asyncio.get_running_loop()
    kept = Journal() if journal is None else journal
    if log is not None:
        kept.heard.append(lambda entry: log(line(entry)))
    backend.armoury.begin(clock.now())
    scopes = Scopes(backend, clock)
    front = Front(scopes, Pacer(loop, clock), log, kept)
    server = Server(front, access_log=None, logger=silent(), handler_cancellation=True)
    runner = ServerRunner(server, shutdown_timeout=DRAIN_S / 2)  # aiohttp waits that long twice
    await runner.setup()
    try:
        await TCPSite(runner, host, port, backlog=BACKLOG).start()
        yield Running(
            address_url(runner.addresses[0]), backend, clock, kept, scopes, loop, threading.get_ident(), front.pacer
        )
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
    log: Log | None = None,
    journal: Journal | None = None,
    magic: bool = True,
) -> Iterator[Running]:
    """A backend in a thread of its own, for as long as the block lasts. ``dialects``: names, folders or nouns; all by default.

    ``script``: a file of agents, keys and plans; ``BadFile`` if it is a bad one. ``magic``: whether requests may ask for faults.
    """
    backend = Backend(load(dialects), seed, variant=variant, fault=fault, magic=magic)
    if script is not None:
        from .script.reading import load as read_script

        backend.perform(read_script(script, backend.routes.dialects))
    started: Future[tuple[Running, asyncio.Event]] = Future()

    async def main() -> None:
        stop = asyncio.Event()
        try:
            async with serving(
                backend, clock or ScaledClock(), host=host, port=port, log=log, journal=journal
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


async def _read(request: BaseRequest) -> HttpRequest:
    """The request whole, its body cut off right above the limit; what is cut off closes the connection."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    declared = headers.get("content-length", "0")
    if headers.get("expect", "").lower() == "100-continue" and request.transport is not None:
        if declared.isdigit() and int(declared) <= BODY_LIMIT:
            request.transport.write(CONTINUE)
        else:
            return _request(request, headers, bytes(BODY_LIMIT + 1))
    body = b""
    if request.can_read_body:
        parts: list[bytes] = []
        size = 0
        while size <= BODY_LIMIT and (part := await request.content.readany()):
            parts.append(part)
            size += len(part)
        body = b"".join(parts)
    return _request(request, headers, body)


def _request(request: BaseRequest, headers: dict[str, str], body: bytes) -> HttpRequest:
    whole = len(body) <= BODY_LIMIT
    version = (request.version.major, request.version.minor)
    return HttpRequest(
        request.method, request.raw_path, headers, body[: BODY_LIMIT + 1], version, request.keep_alive and whole
    )


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


def _complain(text: str) -> None:
    print(text, file=sys.stderr)
