"""A request off its connection, whole: within its limit of bytes and in time, or what is wrong with it.

Of a body that is too large or too late no more is read, and its connection ends with the answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp.web_request import BaseRequest

from .connections import LATE
from .plan import JSON_HEADERS, Message, Plan, Write, frame, http_date
from .request import HttpRequest

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
GARBLED = "the body of the request cannot be read: its framing or its coding is broken"


@dataclass(frozen=True)
class Trouble:
    """Why a request cannot be answered at all: no dialect has words for that."""

    status: int
    says: str


async def receive(request: BaseRequest, limit: int, body_s: float) -> tuple[HttpRequest, Trouble | None]:
    """The request with its body, which is cut off right above ``limit`` bytes; and the trouble there was, if any."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    declared = headers.get("content-length", "0")
    if headers.get("expect", "").lower() == "100-continue" and request.transport is not None:
        if declared.isdigit() and int(declared) <= limit:
            request.transport.write(CONTINUE)
        else:
            return _whole(request, headers, bytes(limit + 1), limit), None
    if not request.can_read_body:
        return _whole(request, headers, b"", limit), None
    parts: list[bytes] = []
    trouble = await _read(request, parts, limit, body_s)
    return _whole(request, headers, b"".join(parts), limit, trouble), trouble


def before_body(request: BaseRequest) -> HttpRequest:
    """The request as far as it is known before its body."""
    return _whole(request, {name.lower(): value for name, value in request.headers.items()}, b"", 0)


def told(trouble: Trouble, asked: HttpRequest, now: float) -> Plan:
    """The plan that tells the trouble, in JSON of no dialect's shape."""
    body = f'{{"error": {{"status": {trouble.status}, "message": "{trouble.says}"}}}}'.encode()
    headers = (("Date", http_date(int(now))), *JSON_HEADERS)
    return frame(Message(trouble.status, headers, (Write(0.0, body),), "length"), asked, "unreadable")


async def _read(request: BaseRequest, parts: list[bytes], limit: int, body_s: float) -> Trouble | None:
    size = 0
    content = request.content
    try:
        async with asyncio.timeout(None if content.is_eof() else body_s):
            while size <= limit and (part := await content.readany()):
                parts.append(part)
                size += len(part)
    except TimeoutError:
        return Trouble(408, LATE.format("body", body_s))
    except ConnectionError:
        raise
    except Exception:  # noqa: BLE001  (whatever aiohttp makes of a broken body is the client's mistake)
        return Trouble(400, GARBLED)
    return None


def _whole(
    request: BaseRequest, headers: dict[str, str], body: bytes, limit: int, trouble: Trouble | None = None
) -> HttpRequest:
    kept = request.keep_alive and len(body) <= limit and trouble is None
    version = (request.version.major, request.version.minor)
    return HttpRequest(request.method, request.raw_path, headers, body[: limit + 1], version, kept)
