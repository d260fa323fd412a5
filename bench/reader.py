"""How fast our SSE reader is, beside a naive one and the ones that Python programs use: ``python -m bench.reader``.

Every reader gets the same bytes in the same pieces; rounds are interleaved and the best of each counts, in seconds of a core.
Machines are shared and figures move, so read the ratios. The first table says how many of the golden streams each reads as the
standard does, for the fastest is often fast because it leaves something out. The naive one splits on a blank line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any

from httpx import Response
from httpx_sse import EventSource
from sseclient import SSEClient

from chatproof.conformance.sse import Reader
from chatproof.spec import vectors

EVENTS = 20_000
ROUNDS = 5
STREAMS = {
    "ascii": b'data: {"type": "token", "content": " return"}\n\n',
    "utf-8": 'data: {"type": "token", "content": " r\u00fcckg\u00e4ngig"}\n\n'.encode(),
    "crlf": b'data: {"type": "token", "content": " return"}\r\n\r\n',
}
SIZES = {"one event": 0, "4 KiB": 4096, "64 KiB": 65536}


def ours(parts: list[bytes]) -> Iterator[Any]:
    reader = Reader()
    for part in parts:
        yield from reader.feed(part)


def naive(parts: list[bytes]) -> Iterator[Any]:
    rest = b""
    for part in parts:
        *blocks, rest = (rest + part).split(b"\n\n")
        yield from [("message", block[6:].decode("utf-8", "replace")) for block in blocks]


def complete(parts: list[bytes]) -> Iterator[Any]:
    """All of the standard, lines by ``bytes.split``, but no offsets and no slips: what we pay for those."""
    rest, kind, last_id, first, after_cr = b"", "", "", True, False
    data: list[str] = []
    for part in parts:
        if after_cr and part.startswith(b"\n"):
            part = part[1:]
        after_cr = part.endswith(b"\r")
        if b"\r" in part:
            part = part.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            if first:
                line, first = line.removeprefix(b"\xef\xbb\xbf"), False
            name, _, value = line.partition(b":")
            text = value.removeprefix(b" ").decode("utf-8", "replace")
            if not line:
                if data:
                    yield kind or "message", "\n".join(data), last_id
                data.clear()
                kind = ""
            elif name == b"data":
                data.append(text)
            elif name == b"event":
                kind = text
            elif name == b"id" and "\0" not in text:
                last_id = text


def httpx_sse(parts: list[bytes]) -> Iterator[Any]:
    """By its public way in, so httpx's own share of the work is in it."""
    response = Response(200, headers={"Content-Type": "text/event-stream"}, content=iter(parts))
    return EventSource(response).iter_sse()


def sseclient(parts: list[bytes]) -> Iterator[Any]:
    return iter(SSEClient(iter(parts)).events())


Read = Callable[[list[bytes]], Iterator[Any]]
READERS: dict[str, Read] = {
    "ours": ours,
    "complete": complete,
    "httpx-sse": httpx_sse,
    "sseclient-py": sseclient,
    "naive split": naive,
}


def right(read: Read) -> int:
    """How many golden streams it reads as the standard does, types and data, without raising."""
    return sum(_said(read, vector.data) == _meant(vector.means) for vector in GOLDEN)


GOLDEN = [vector for vector in vectors("web") if vector.kind == "sse"]


def _said(read: Read, data: bytes) -> list[tuple[str, str]] | None:
    try:
        return [event[:2] if isinstance(event, tuple) else (event.event, event.data) for event in read([data])]
    except ValueError:
        return None


def _meant(means: Any) -> list[tuple[str, str]]:
    return [(event["type"], event["data"]) for event in means["events"]]


def count(read: Read, parts: list[bytes]) -> int:
    return sum(1 for _ in read(parts))


def best(readers: dict[str, Read], parts: list[bytes]) -> dict[str, float]:
    """Seconds of the fastest round of each reader."""
    times = dict(zip(readers, repeat(float("inf")), strict=False))
    for _ in range(ROUNDS):
        for name, read in readers.items():
            start = time.process_time()
            found = count(read, parts)
            times[name] = min(times[name], time.process_time() - start)
            assert found == EVENTS, f"{name} read {found} events"
    return times


def pieces(body: bytes, size: int, event: bytes) -> list[bytes]:
    size = size or len(event)
    return [body[at : at + size] for at in range(0, len(body), size)]


def main() -> None:
    for name, read in READERS.items():
        print(f"{name:>14} reads {right(read)} of {len(GOLDEN)} golden streams as the standard does")
    print(f"\n{'stream':8}{'reads':>12}{'reader':>14}{'events/s':>12}{'times ours':>12}")
    for stream, event in STREAMS.items():
        for label, size in SIZES.items():
            parts = pieces(event * EVENTS, size, event)
            times = best({k: v for k, v in READERS.items() if stream != "crlf" or k != "naive split"}, parts)
            for name, seconds in times.items():
                speed = times["ours"] / seconds
                print(f"{stream:8}{label:>12}{name:>14}{EVENTS / seconds / 1000:>11.0f}k{speed:>12.2f}")


if __name__ == "__main__":
    main()
