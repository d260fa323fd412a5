"""A correct server of all four dialects on Starlette and uvicorn, written from the documents alone.

Its freedoms: windows aligned to the clock's minute; every request with a key counts, refused ones too; sessions belong to a
customer; ASCII-escaped JSON; 422 in the reference; codes below ``detail`` in the agent REST API, whose streams it switches by
``Accept``; it refuses odd input. Usage, from the folder above:
``python -m strangers.asgi_server PORT [SESSION_IDLE_SECONDS]``; port 0 takes a free one; the first line printed is the port.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import secrets
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from .asgi_words import Refused, answer, events, refusal, reply, usage_of

MINUTE, DAY = 60, 86_400
IDLE_S = float(sys.argv[2]) if len(sys.argv) > 2 else float(DAY)
PACED_GAP_S = 0.15


@dataclass
class Account:
    """What a key may do; ``only``: the one agent that it opens; ``window``: how long its minute is, in seconds."""

    customer: str
    per_minute: int = 6000
    per_day: int | None = None
    window: int = MINUTE
    concurrent: int | None = None
    only: str | None = None
    broke: bool = False
    admin: bool = False


KEYS = {
    "sk-harbour-main-01": Account("harbour"),
    "sk-harbour-free-02": Account("harbour", per_minute=20, concurrent=2),
    "sk-harbour-day-03": Account("harbour", per_minute=600, per_day=9),
    "sk-harbour-wink-09": Account("harbour", per_minute=4, window=2),
    "sk-harbour-pro-07": Account("harbour", per_minute=120, concurrent=10),
    "sk-harbour-tier-08": Account("harbour", per_minute=60, per_day=10_000),
    "sk-harbour-poor-04": Account("harbour", broke=True),
    "sk-harbour-cafe-05": Account("harbour", only="cafe"),
    "sk-harbour-admin-06": Account("harbour", admin=True),
    "sk-meadow-main-01": Account("meadow"),
}
AGENTS = {"concierge", "cafe", "toolsmith", "broken", "asleep", "walker"}
NUMBERS = itertools.count(7001)

minutes: Counter[tuple[str, int]] = Counter()
days: Counter[tuple[str, int]] = Counter()
open_now: Counter[str] = Counter()
sessions: dict[tuple[str, str, str], tuple[float, list[str]]] = {}


def account_of(request: Request) -> tuple[str, Account]:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    account = KEYS.get(key.strip())
    if scheme.lower() != "bearer" or account is None:
        raise Refused("unauthorized", "Invalid or missing API token")
    return key.strip(), account


def limit_headers(dialect: str, key: str | None) -> dict[str, str]:
    """The limit that leaves the least, as of now; for nobody's key, a limit of nothing. Each dialect counts for itself."""
    now = time.time()
    window = KEYS[key].window if key else MINUTE
    minute_end = (int(now) // window + 1) * window
    if key is None:
        said = (0, 0, minute_end)
    else:
        account = KEYS[key]
        left = max(account.per_minute - minutes[dialect + key, int(now) // window], 0)
        said = (account.per_minute, left, minute_end)
        if account.per_day is not None:
            left_today = max(account.per_day - days[dialect + key, int(now) // DAY], 0)
            said = min(said, (account.per_day, left_today, (int(now) // DAY + 1) * DAY), key=lambda row: row[1])
    names = ("x-ratelimit-reset", "x-ratelimit-remaining", "x-ratelimit-limit")
    return dict(zip(names, map(str, reversed(said)), strict=True))


def count(dialect: str, key: str, account: Account) -> None:
    """Count one request, or refuse it."""
    now = time.time()
    minute, day = int(now) // account.window, int(now) // DAY
    over_minute = minutes[dialect + key, minute] >= account.per_minute
    over_day = account.per_day is not None and days[dialect + key, day] >= account.per_day
    if over_minute or over_day:
        wait = max(1, math.ceil(((day + 1) * DAY if over_day else (minute + 1) * account.window) - now))
        raise Refused("limited", f"Rate limit exceeded. Please retry after {wait} seconds.", wait=wait)
    if account.concurrent is not None and open_now[dialect + key] >= account.concurrent:
        raise Refused("limited", "Too many connections. Please retry after 1 second.", wait=1)
    minutes[dialect + key, minute] += 1
    days[dialect + key, day] += 1


def text_of(body: Mapping[str, Any], field: str, *, required: bool = False, nullable: bool = False) -> str | None:
    value = body.get(field)
    if value is None and (field not in body or nullable):
        if required:
            raise Refused("invalid", f"{field.capitalize()} field is required ({field})", field)
        return None
    if not isinstance(value, str):
        raise Refused("invalid", f"{field} has to be a string", field)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Refused("invalid", f"{field} holds half a character", field)
    if required and not value:
        raise Refused("invalid", f"{field} field must not be empty", field)
    return value


async def body_of(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused("media", "send application/json")
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Refused("invalid", "body is not JSON (message)") from None
    if not isinstance(body, dict):
        raise Refused("invalid", "body is not an object (message)")
    return body


def history(customer: str, agent: str, session: str) -> list[str]:
    """The messages so far; forgotten when the session was idle too long."""
    last, said = sessions.get((customer, agent, session), (0.0, []))
    if time.monotonic() - last > IDLE_S:
        said = []
    sessions[customer, agent, session] = (time.monotonic(), said)
    return said


class Stream(StreamingResponse):
    """A stream that gives the key's place back however it ends."""

    def __init__(self, key: str, content: AsyncIterator[bytes], headers: dict[str, str]) -> None:
        super().__init__(content, headers=headers, media_type="Text/Event-Stream")
        self.key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            open_now[self.key] -= 1


async def written(dialect: str, datas: list[str], gap: float) -> AsyncIterator[bytes]:
    """The events as bytes: CRLF in the guide, comments, ids and event names where they are allowed."""
    end = "\r\n" if dialect == "guide" else "\n"
    opening = {"guide": f": welcome{end}{end}", "slug": "retry: 3000\nid: 0\n"}.get(dialect, "")
    yield opening.encode()
    for n, data in enumerate(datas):
        before = {"rest": "event: message\n", "slug": f"id: {n}\n", "reference": ": tick\n\n"}.get(dialect, "")
        yield f"{before}data: {data}{end}{end}".encode()
        await asyncio.sleep(gap)
    if dialect == "rest":
        yield b": bye\n\n"


async def chat(request: Request) -> Response:
    dialect = request.scope["root_path"].strip("/")
    key: str | None = None
    try:
        key, account = account_of(request)
        count(dialect, key, account)
        body = await body_of(request)
        return talk(request, dialect, key, account, body)
    except Refused as why:
        return refuse(dialect, key, why)


def talk(request: Request, dialect: str, key: str, account: Account, body: dict[str, Any]) -> Response:
    nullable = dialect in ("reference", "slug")
    agent = request.path_params.get("agent") or text_of(body, "agent_id", required=True) or ""
    agent = agent.removeprefix("ag_") if dialect == "reference" else agent
    message = text_of(body, "message", required=True) or ""
    session = text_of(body, "conversationId" if dialect == "slug" else "session_id", nullable=nullable)
    streams = wants_stream(request, dialect, body)
    metadata = body.get("metadata", {})
    if dialect in ("guide", "reference") and not isinstance(metadata, dict) and not (nullable and metadata is None):
        raise Refused("invalid", "metadata has to be an object", "metadata")
    if agent not in AGENTS:
        raise Refused("agent", f"Agent with slug '{agent}' not found")
    if account.only not in (None, agent):
        raise Refused("scope", "this key is for another agent")
    if account.broke:
        raise Refused("balance", "Insufficient balance")
    if agent == "asleep":
        raise Refused("unavailable", "Service temporarily unavailable", wait=7)
    if agent == "broken" and not (streams and dialect == "reference"):
        raise Refused("internal", "the model went away")
    session = session or f"conv_{secrets.token_hex(6)}"
    before = history(account.customer, agent, session)
    text = answer(dialect, agent, message, before)
    before.append(message)
    used = usage_of(message, text)
    if not streams:
        found = reply(dialect, session, text, used, tools=agent == "toolsmith")
        pretty = json.dumps(found, indent=2 if dialect == "guide" else None)
        return Response(pretty, headers=limit_headers(dialect, key), media_type="application/json; charset=utf-8")
    open_now[dialect + key] += 1
    gap = PACED_GAP_S if agent == "walker" else 0.0
    headers = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no", **limit_headers(dialect, key)}
    return Stream(dialect + key, written(dialect, events(dialect, session, text, used, agent), gap), headers)


def wants_stream(request: Request, dialect: str, body: dict[str, Any]) -> bool:
    if request.url.path.endswith("/chat/stream"):
        return True
    if dialect == "rest":
        return "text/event-stream" in request.headers.get("accept", "")
    wanted = body.get("stream", dialect == "guide")
    if not isinstance(wanted, bool):
        raise Refused("invalid", "stream has to be true or false", "stream")
    return wanted


def refuse(dialect: str, key: str | None, why: Refused) -> Response:
    status, body = refusal(dialect, why)
    headers = limit_headers(dialect, key)
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="harbour"'
    if why.wait is not None:
        headers["retry-after"] = str(why.wait)
    return Response(json.dumps(body), status, headers, media_type="application/json")


async def create_key(request: Request) -> Response:
    key: str | None = None
    try:
        key, account = account_of(request)
        count("rest", key, account)
        if not account.admin:
            raise Refused("scope", "only an account may make keys")
        body = await body_of(request)
        agent, name = request.path_params["agent"], text_of(body, "name", required=True)
        if agent not in AGENTS:
            raise Refused("agent", f"Agent {agent} not found")
        made = f"ak_{secrets.token_urlsafe(16)}"
        KEYS[made] = Account(account.customer, only=agent)
        found = {"key": made, "id": next(NUMBERS), "name": name, "agent_id": agent, "created_at": int(time.time())}
        return Response(json.dumps(found), headers=limit_headers("rest", key), media_type="application/json")
    except Refused as why:
        return refuse("rest", key, why)


app = Starlette(
    routes=[
        Mount("/guide", routes=[Route("/chat", chat, methods=["POST"])]),
        Mount("/reference", routes=[Route(path, chat, methods=["POST"]) for path in ("/chat", "/chat/stream")]),
        Mount(
            "/rest",
            routes=[
                Route("/v1/agents/{agent}/chat", chat, methods=["POST"]),
                Route("/agents/{agent}/api-keys", create_key, methods=["POST"]),
            ],
        ),
        Mount("/slug", routes=[Route("/v1/api/chat/{agent}", chat, methods=["POST"])]),
    ]
)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, log_level="warning", lifespan="off")
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
