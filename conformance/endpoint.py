"""Where requests go, and the bytes that they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from .exchange import Request
from .response import Headers

PORTS = {"http": 80, "https": 443}
WITH_BODY = ("POST", "PUT", "PATCH")
BREAKS_A_LINE = re.compile("[\r\n\0]")


@dataclass(frozen=True)
class Endpoint:
    """Where a base URL points. ``path`` has no slash at its end; ``host`` no brackets."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @classmethod
    def parse(cls, base_url: str) -> Endpoint:
        """``ValueError`` says what is wrong with a URL that is no plain ``http(s)://host[:port][/path]``."""
        expected = f"expected http(s)://host[:port][/path], got {base_url!r}"
        if not base_url.isascii() or re.search(r"[\x00-\x20\x7f]", base_url):
            raise ValueError(f"{expected}: only printable ASCII; write international names as xn--…")
        try:
            url = urlsplit(base_url)
            port = url.port
        except ValueError as error:
            raise ValueError(f"{expected}: {error}") from None
        if url.scheme not in PORTS:
            raise ValueError(f"{expected}: the scheme is {url.scheme or 'missing'!r}")
        if not url.hostname:
            raise ValueError(f"{expected}: no host")
        if "@" in url.netloc:
            raise ValueError(f"expected http(s)://host[:port][/path]: no credentials in a URL, host {url.hostname!r}")
        if url.query or url.fragment or base_url.endswith(("?", "#")):
            raise ValueError(f"{expected}: no query or fragment")
        if port == 0:
            raise ValueError(f"{expected}: port 0")
        return cls(url.scheme, url.hostname, port or PORTS[url.scheme], url.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """What goes into ``Host``: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def encode(endpoint: Endpoint, request: Request, *, keep_alive: bool = False) -> bytes:
    """The request's bytes. ``ValueError`` for a line break in the head: that would be our mistake, not the target's."""
    length = len(request.body) if request.body or request.method in WITH_BODY else None
    words = (request.method, request.target, request.headers, request.version, request.without)
    return _head(endpoint, *words, length, keep_alive) + request.body


@lru_cache(1024)
def _head(
    endpoint: Endpoint,
    method: str,
    target: str,
    headers: Headers,
    version: str,
    without: tuple[str, ...],
    length: int | None,
    keep_alive: bool,
) -> bytes:
    """Request line and headers. Kept, since a run sends few heads to many bodies; ``length`` is that of the body."""
    given = {name.lower() for name, _ in headers} | {name.lower() for name in without}
    lines = [] if "host" in given else [("Host", endpoint.authority)]
    lines += headers
    if "accept-encoding" not in given:
        lines.append(("Accept-Encoding", "identity"))
    if "user-agent" not in given:
        lines.append(("User-Agent", "chatproof"))
    if length is not None and not given & {"content-length", "transfer-encoding"}:
        lines.append(("Content-Length", str(length)))
    if "connection" not in given:
        lines.append(("Connection", "keep-alive" if keep_alive else "close"))
    words = [
        f"{method} {endpoint.path}{target} HTTP/{version}",
        *(f"{name}: {value}" for name, value in lines),
    ]
    for word in words:
        if BREAKS_A_LINE.search(word):
            raise ValueError(f"a line break in the head of a request: {word.partition(':')[0]!r}")
    head = "\r\n".join([*words, "", ""])
    try:
        return head.encode("latin-1")
    except UnicodeEncodeError:
        return head.encode("utf-8")
