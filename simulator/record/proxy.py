"""A proxy in front of a real server. The bytes of bodies pass unchanged in both directions, those of a response as they come."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, hdrs
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse
from multidict import CIMultiDict
from yarl import URL

from ..connections import Sent
from ..intake import CONTINUE
from ..journal import Closed, Entry, Journal
from ..plan import LAST_CHUNK, About, End, Plan, Write, chunk
from ..request import HttpRequest, bearer
from . import headers
from .exchange import Exchange, Heard, LeftOut, Piece
from .reading import INFLATED, said
from .recorder import Recorder

CONNECT_S = 10.0
IDLE_S = 1.5
"""How long a connection to the server is kept for the next request: shorter than servers keep theirs."""
REQUEST_LIMIT, KEPT_LIMIT = 16 << 20, 32 << 20
"""The largest body of a request that is taken, and how much of a response is kept to be read; in bytes."""
LINE_LIMIT = 1 << 16
BODILESS = (204, 304)
SKIPPED = (hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE)
BROKEN = {"client": "the client left before the end", "stopped": "the recording stopped before the end"}


class Upstream(Exception):
    """The server could not be asked, or broke off in its answer."""


@dataclass
class _Relayed:
    """One response on its way: what came, and what was written when (in seconds of the loop).

    ``body``: of the request, as it came and goes on; ``asked`` has it without its content coding, where that can be read.
    """

    asked: HttpRequest
    body: bytes
    began: float
    keep: bool
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    size: int = 0
    writes: list[Write] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    error: str = ""


@dataclass
class Proxy:
    """Answers the requests of one event loop. ``heard``: called after each exchange."""

    upstream: str
    client: ClientSession
    journal: Journal
    recorder: Recorder
    heard: Callable[[], None]
    stopping: bool = False

    async def __call__(self, request: BaseRequest) -> StreamResponse:
        loop = asyncio.get_running_loop()
        came = await _read(request)
        asked = came._replace(body=_plain(came))
        fits = len(came.body) <= REQUEST_LIMIT
        relayed = _Relayed(asked, came.body, loop.time(), request.keep_alive and fits)
        self.recorder.scrubber.meet(asked)
        entry = self.journal.begin(asked, time.time(), relayed.began, known=self.recorder.secrets)
        closed: Closed = "client"
        try:
            if fits:
                await self._relay(request, relayed)
            else:
                await self._own(request, relayed, 413, "Content Too Large", f"a body has {REQUEST_LIMIT} bytes at most")
            closed = "kept" if relayed.keep else "server"
        except ConnectionError:
            pass
        finally:
            self._over(entry, relayed, "stopped" if self.stopping and closed == "client" else closed)
        return Sent(closed == "kept")

    async def _relay(self, request: BaseRequest, relayed: _Relayed) -> None:
        try:
            async with await self._answer(relayed, request) as answer:
                await self._pass_on(request, answer, relayed)
        except Upstream as error:
            relayed.error = str(error)
            if relayed.writes:
                relayed.keep = False  # half an answer: the connection ends before the body does
            else:
                await self._own(request, relayed, 502, "Bad Gateway", str(error))

    async def _answer(self, relayed: _Relayed, request: BaseRequest) -> ClientResponse:
        """The head of the server's answer."""
        asked = relayed.asked
        given = [(_text(name), _text(value)) for name, value in request.raw_headers]
        try:
            return await self.client.request(
                asked.method,
                URL(self.upstream + asked.target, encoded=True),
                headers=CIMultiDict(headers.passed(given, headers.OF_A_REQUEST)),
                data=relayed.body or None,
                allow_redirects=False,
            )
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise Upstream(f"{self.upstream} cannot be asked: {error or type(error).__name__}") from None

    async def _pass_on(self, request: BaseRequest, answer: ClientResponse, relayed: _Relayed) -> None:
        loop = asyncio.get_running_loop()
        asked = relayed.asked
        came = [(_text(name), _text(value)) for name, value in answer.raw_headers]
        relayed.status, relayed.headers = answer.status, [(name.lower(), value) for name, value in came]
        framing = headers.framing(came, asked.version, asked.method == "HEAD" or answer.status in BODILESS)
        relayed.keep = relayed.keep and framing != "close"
        told = [*headers.passed(came), *headers.connection(asked.version, relayed.keep)]
        if framing == "chunked":
            told.append(("Transfer-Encoding", "chunked"))
        await _write(request, relayed, headers.head(answer.status, answer.reason or "", told))
        try:
            async for data in answer.content.iter_any():
                if relayed.size <= KEPT_LIMIT:
                    relayed.pieces.append((loop.time() - relayed.began, data))
                relayed.size += len(data)
                await _write(request, relayed, chunk(data) if framing == "chunked" else data)
        except (ClientError, TimeoutError) as error:
            raise Upstream(f"{self.upstream} broke off its answer: {error or type(error).__name__}") from None
        if framing == "chunked":
            await _write(request, relayed, LAST_CHUNK)

    async def _own(self, request: BaseRequest, relayed: _Relayed, status: int, reason: str, why: str) -> None:
        """An answer of our own, as plain text: nobody but the server knows its words."""
        body = f"chatproof serve --record: {why}\n".encode("utf-8", "replace")
        told = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        told += headers.connection(relayed.asked.version, relayed.keep)
        relayed.status, relayed.error = status, relayed.error or why
        await _write(request, relayed, headers.head(status, reason, told) + body * (request.method != "HEAD"))

    def _over(self, entry: Entry, relayed: _Relayed, closed: Closed) -> None:
        """Into the recorder first, so that its secrets are known; then into the journal."""
        ended = asyncio.get_running_loop().time()
        broken = relayed.error or BROKEN.get(closed, "")
        if relayed.size > KEPT_LIMIT:
            broken = broken or f"a response of more than {KEPT_LIMIT} bytes is not kept"
        took = ended - relayed.began
        found = self.recorder.add(
            Exchange(
                entry.number, relayed.asked, relayed.status, tuple(relayed.headers), tuple(relayed.pieces), took, broken
            )
        )
        word = f"recorded: {said(found)}" if isinstance(found, Heard) else f"left out: {found.why}"
        about = self._about(found, relayed)
        entry.sent, entry.error = relayed.sent, relayed.error
        end: End = "keep-alive" if closed == "kept" else "close"
        entry.plan = Plan(tuple(relayed.writes), end, relayed.status, word, about=about)
        self.journal.end(entry, ended, closed)
        self.heard()

    def _about(self, found: Heard | LeftOut, relayed: _Relayed) -> About:
        if isinstance(found, LeftOut):
            return About(key=bearer(relayed.asked.headers))
        notes = tuple(self.recorder.scrubber.clean(note) for note in found.notes)
        return About(
            dialect=found.dialect,
            agent=found.agent,
            session=found.session,
            key=found.key,
            streamed=found.streamed,
            refusal=found.refused.name if found.refused else None,
            warnings=notes,
        )


def client() -> ClientSession:
    """A client that adds nothing of its own to a request and takes nothing away from a response."""
    return ClientSession(
        connector=TCPConnector(limit=0, keepalive_timeout=IDLE_S),
        auto_decompress=False,
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None, sock_connect=CONNECT_S),
        skip_auto_headers=SKIPPED,
        max_line_size=LINE_LIMIT,
        max_field_size=LINE_LIMIT,
    )


async def _read(request: BaseRequest) -> HttpRequest:
    """The request whole, its body cut off right above the limit."""
    named = {name.lower(): value for name, value in request.headers.items()}
    if named.get("expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(CONTINUE)
    parts: list[bytes] = []
    size = 0
    while request.can_read_body and size <= REQUEST_LIMIT and (part := await request.content.readany()):
        parts.append(part)
        size += len(part)
    version = (request.version.major, request.version.minor)
    return HttpRequest(request.method, request.raw_path, named, b"".join(parts), version, request.keep_alive)


def _plain(asked: HttpRequest) -> bytes:
    """The body without its content coding; as it came, where it has none that is read here, or more in it than is taken."""
    coding = asked.headers.get("content-encoding", "").strip().lower()
    if coding not in INFLATED:
        return asked.body
    try:
        plain = zlib.decompressobj(INFLATED[coding]).decompress(asked.body, REQUEST_LIMIT + 1)
    except zlib.error:
        return asked.body
    return plain if len(plain) <= REQUEST_LIMIT else asked.body


async def _write(request: BaseRequest, relayed: _Relayed, data: bytes) -> None:
    """Hand bytes to the client, and wait while it does not read; ``ConnectionResetError`` if it has gone."""
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client has gone")
    now = asyncio.get_running_loop().time()
    if data:
        transport.write(data)
        relayed.writes.append(Write(now - relayed.began, data))
        relayed.sent.append(now)
        await request.writer.drain()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
