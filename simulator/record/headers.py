"""What of the headers passes a proxy: all of them, in their order and spelling, but those that belong to one connection alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

OWN = frozenset(
    ("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade")
)  # fmt: skip
"""Hop-by-hop by RFC 9110, 7.6.1 and 11.7, beside those that ``Connection`` names."""
OF_A_REQUEST = frozenset(("host", "content-length", "expect"))
"""Said anew to the server: its own name, the length of the body that was read, no wait for a 100."""

Pairs = Sequence[tuple[str, str]]


def passed(headers: Pairs, further: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Those headers that go on to the other side."""
    options = ",".join(value for name, value in headers if name.lower() == "connection")
    kept_back = {*OWN, *further, *(word.strip().lower() for word in options.split(","))}
    return ((name, value) for name, value in headers if name.lower() not in kept_back)


def framing(headers: Pairs, version: tuple[int, int], bodiless: bool) -> str:
    """How the body goes on to a client of that HTTP version: ``length`` as it came, ``chunked``, or ``close`` (RFC 9112, 6.3)."""
    if bodiless or any(name.lower() == "content-length" for name, _ in headers):
        return "length"
    return "chunked" if version >= (1, 1) else "close"


def connection(version: tuple[int, int], keep: bool) -> Pairs:
    """What the client is told of its own connection."""
    if not keep:
        return (("Connection", "close"),)
    return (("Connection", "keep-alive"),) if version < (1, 1) else ()


def head(status: int, reason: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """A status line and header lines, in the bytes in which they came."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {reason}\r\n{lines}\r\n".encode("utf-8", "surrogateescape")
