"""How fast our SSE reader is, beside a naive one and httpx-sse where that is installed: ``python bench/reader.py``.

Every reader gets the same bytes in the same pieces; rounds are interleaved and the best of each counts. Machines are shared
and figures move, so read the ratios. The naive reader splits on a blank line: fast, and wrong in many legal cases.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from itertools import repeat

from chatproof.conformance.sse import Reader

EVENTS = 20_000
ROUNDS = 5
STREAMS = {
    "ascii": b'data: {"type": "token", "content": " return"}\n\n',
    "utf-8": 'data: {"type": "token", "content": " r\u00fcckg\u00e4ngig"}\n\n'.encode(),
    "crlf": b'data: {"type": "token", "content": " return"}\r\n\r\n',
}
SIZES = {"one event": 0, "4 KiB": 4096, "64 KiB": 65536}


def ours(parts: list[bytes]) -> int:
    reader = Reader()
    return sum(len(reader.feed(part)) for part in parts)


def naive(parts: list[bytes]) -> int:
    rest, count = b"", 0
    for part in parts:
        *blocks, rest = (rest + part).split(b"\n\n")
        count += len([block[6:].decode() for block in blocks])
    return count


def complete(parts: list[bytes]) -> int:
    """All of the standard, lines by ``bytes.split``, but no offsets and no slips: what we pay for those."""
    rest, count, kind, last_id, first, after_cr = b"", 0, "", "", True, False
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
                    count += len([(kind or "message", "\n".join(data), last_id)])
                data.clear()
                kind = ""
            elif name == b"data":
                data.append(text)
            elif name == b"event":
                kind = text
            elif name == b"id" and "\0" not in text:
                last_id = text
    return count


def httpx_sse(parts: list[bytes]) -> int:
    """By its public way in, so httpx's own share of the work is in it."""
    from httpx import Response
    from httpx_sse import EventSource  # type: ignore[import-not-found]

    response = Response(200, headers={"Content-Type": "text/event-stream"}, content=iter(parts))
    return sum(1 for _ in EventSource(response).iter_sse())


READERS: dict[str, Callable[[list[bytes]], int]] = {"ours": ours, "complete": complete, "naive split": naive}


def best(readers: dict[str, Callable[[list[bytes]], int]], parts: list[bytes]) -> dict[str, float]:
    """Seconds of the fastest round of each reader."""
    times = dict(zip(readers, repeat(float("inf")), strict=False))
    for _ in range(ROUNDS):
        for name, read in readers.items():
            start = time.perf_counter()
            read(parts)
            times[name] = min(times[name], time.perf_counter() - start)
    return times


def pieces(body: bytes, size: int, event: bytes) -> list[bytes]:
    size = size or len(event)
    return [body[at : at + size] for at in range(0, len(body), size)]


def main() -> None:
    readers = dict(READERS)
    if importlib.util.find_spec("httpx_sse") is None:
        print("httpx-sse is not installed: its row is left out")
    else:
        readers["httpx-sse"] = httpx_sse
    print(f"{'stream':8}{'reads':>12}{'reader':>14}{'events/s':>12}{'times ours':>12}")
    for stream, event in STREAMS.items():
        for label, size in SIZES.items():
            parts = pieces(event * EVENTS, size, event)
            times = best({k: v for k, v in readers.items() if stream != "crlf" or k != "naive split"}, parts)
            for name, seconds in times.items():
                speed = times["ours"] / seconds
                print(f"{stream:8}{label:>12}{name:>14}{EVENTS / seconds / 1000:>11.0f}k{speed:>12.2f}")


if __name__ == "__main__":
    main()
