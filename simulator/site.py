"""The pages for people: an index, the bundled OpenAPI document, and a browsable page of it that needs no network."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path

from .plan import Message, Plan, Write, frame, http_date, shown
from .request import HttpRequest
from .routes import Routes

ASSETS = Path(__file__).parent / "assets"
HTML = "text/html; charset=utf-8"
INDEX = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>chatproof</title>
<h1>chatproof</h1>
<p>A fake chat backend. <a href="/docs">Browse its API</a>, or take it as <a href="/openapi.json">OpenAPI</a>.</p>
<ul>{items}</ul>
</html>
"""

Content = tuple[str, bytes]
"""A media type and a body."""


def page(request: HttpRequest, routes: Routes, now: float) -> Plan | None:
    """The plan of a page, or ``None`` if the request is not for one."""
    make = PAGES.get(request.target.partition("?")[0]) if request.method in ("GET", "HEAD") else None
    if make is None:
        return None
    media, body = make(routes)
    headers = (("Date", http_date(int(now))), ("Content-Type", media))
    return shown(frame(Message(200, headers, (Write(0.0, body),), "length"), request), "page", 0)


def _index(routes: Routes) -> Content:
    items = "".join(
        f"<li>{escape(dialect.title)}: <code>{escape(operation.method)} {escape(routes.base_path(dialect) + operation.path)}</code></li>"
        for dialect in routes.dialects
        for operation in dialect.operations
    )
    return HTML, INDEX.format(items=items).encode()


def _openapi(routes: Routes) -> Content:
    return "application/json", _bundle(routes)


@cache
def _bundle(routes: Routes) -> bytes:
    from ..spec.openapi import bundle

    return json.dumps(bundle(list(routes.dialects))).encode()


PAGES: dict[str, Callable[[Routes], Content]] = {"/": _index, "/openapi.json": _openapi}
