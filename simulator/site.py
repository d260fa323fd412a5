"""The pages for people: an index, the bundled OpenAPI document, and a browsable page of it that needs no network."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from html import escape
from pathlib import Path
from typing import Any

from ..spec import Dialect
from .plan import Message, Plan, Write, frame, http_date
from .population import KEY_ROLES
from .request import HttpRequest
from .routes import Routes

VIEWER = Path(__file__).parent / "assets" / "api-reference.js.gz"
"""Scalar's API reference (MIT, see the licence beside it): the viewer that shows the events of an OpenAPI 3.2 stream."""
INDEX = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>chatproof</title>
<h1>chatproof</h1>
<p>A fake chat backend. <a href="/docs">Browse its API</a>, or take it as <a href="/openapi.json">OpenAPI</a>.</p>
<ul>{items}</ul>
</html>
"""

DOCS = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>chatproof API</title></head>
<body><div id="app"></div>
<script src="/docs/api-reference.js"></script>
<script>
Scalar.createApiReference("#app", {
  url: "/openapi.json", withDefaultFonts: false, telemetry: false, showDeveloperTools: "never",
  agent: {disabled: true}, mcp: {disabled: true}, hideClientButton: true, documentDownloadType: "direct",
  authentication: AUTHENTICATION,
})
</script></body></html>
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
    return frame(Message(200, headers, (Write(0.0, body),), "length"), request, "page")


def openapi(dialects: Sequence[Dialect]) -> dict[str, Any]:
    """One OpenAPI document of all that is served, at the paths where it is served."""
    from ..spec.openapi import bundle, document

    if len(dialects) > 1:
        return {**bundle(list(dialects)), "servers": [{"url": "/"}]}
    return {**document(dialects[0]), "servers": [{"url": "/"}]}


def _index(routes: Routes) -> Content:
    items = "".join(
        f"<li>{escape(dialect.title)}: <code>{escape(operation.method)} "
        f"{escape(routes.base_path(dialect) + operation.path)}</code></li>"
        for dialect in routes.dialects
        for operation in dialect.operations
    )
    return "text/html; charset=utf-8", INDEX.format(items=items).encode()


@lru_cache(maxsize=4)
def _openapi(routes: Routes) -> Content:
    return "application/json", json.dumps(openapi(routes.dialects)).encode()


@lru_cache(maxsize=4)
def _docs(routes: Routes) -> Content:
    """The viewer, with a working key filled in for every dialect."""
    schemes = openapi(routes.dialects).get("components", {}).get("securitySchemes", {})
    filled = {name: {"token": KEY_ROLES["valid"]} for name in schemes}
    authentication = {"preferredSecurityScheme": list(schemes), "securitySchemes": filled}
    return "text/html; charset=utf-8", DOCS.replace("AUTHENTICATION", json.dumps(authentication)).encode()


def _viewer(_routes: Routes) -> Content:
    return "text/javascript; charset=utf-8", _unpacked()


@cache
def _unpacked() -> bytes:
    return gzip.decompress(VIEWER.read_bytes())


PAGES: dict[str, Callable[[Routes], Content]] = {
    "/": _index,
    "/openapi.json": _openapi,
    "/docs": _docs,
    "/docs/api-reference.js": _viewer,
}
