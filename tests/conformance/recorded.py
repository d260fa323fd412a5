"""Exchanges made by hand, as they would have been recorded: for tests of what the judge makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chatproof.conformance import checks
from chatproof.conformance.check import CHECKS, Finding, Note, Steps
from chatproof.conformance.exchange import Chunk, End, Exchange, Request
from chatproof.conformance.profile import Profile, profile
from chatproof.conformance.seen import Seen
from chatproof.spec import dialect

assert checks
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
SENT_AT = 1_767_225_600.0
"""The same moment in epoch seconds."""
JSON, STREAM = "application/json", "text/event-stream"
ASKED: Mapping[str, Any] = {"step": "good", "message": "Hello", "stream": False, "session": None, "agent": "default", "key": "valid", "valid": True, "omit": []}  # fmt: skip


def known(name: str = "guide", **more: Any) -> Profile:
    """A profile of nothing in particular."""
    data = {"base_url": "http://127.0.0.1:1", "dialect": name, "credentials": {"valid": "secret-key"}}
    return profile({**data, "agents": {"default": "agent_1"}, **more})


def response(
    status: int = 200, body: bytes | Any = b"", media: str | None = JSON, headers: Sequence[tuple[str, str]] = ()
) -> bytes:
    """A whole response with the length of its body; anything but bytes is written as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        ("Date", DATE),
        *([("Content-Type", media)] if media else []),
        *headers,
        ("Content-Length", str(len(data))),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data


def exchange(
    raw: bytes | Sequence[tuple[float, bytes]], *, end: End = End.COMPLETE, request: Request | None = None, **asked: Any
) -> Exchange:
    """What came back: bytes at once, or (seconds, bytes) as they arrived. ``asked``: what was meant, over ``ASKED``."""
    parts = [(0.0, raw)] if isinstance(raw, bytes) else raw
    reads = tuple(Chunk(int(at * 1e9), part) for at, part in parts if part)
    meant = {**ASKED, "operation": "chat", "via": "body", **asked}
    sent = request or Request("POST", "/chat", (("Authorization", "Bearer secret-key"),), b"{}")
    return Exchange("ex-0001", meant["step"], sent, SENT_AT, 0, reads, end, "", meant)


def see(raw: bytes | Sequence[tuple[float, bytes]], name: str = "guide", **more: Any) -> Seen:
    """``exchange``, read in a dialect."""
    return Seen(exchange(raw, **more), dialect(name), known(name))


def stream(*events: Any, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """A whole stream: an event for each JSON value, or for each text as it stands."""
    data = (event if isinstance(event, str) else json.dumps(event) for event in events)
    return response(body="".join(f"data: {one}\n\n" for one in data).encode(), media=STREAM, headers=headers)


def arriving(*parts: tuple[float, bytes], end: End = End.COMPLETE, **more: Any) -> Seen:
    """A stream in chunks, each at its time in seconds."""
    head = response(media=STREAM).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    chunks = ((at, b"%x\r\n%b\r\n" % (len(part), part) if part else b"0\r\n\r\n") for at, part in parts)
    return see([(0.0, head), *chunks], stream=True, end=end, **more)


def over(check: str, seen: Seen) -> list[Note]:
    """What a check over every exchange says to this one; nothing where it does not look at it."""
    found = CHECKS[check]
    assert found.judge_one is not None
    return [] if found.when is not None and not found.when(seen) else list(found.judge_one(seen))


def of(check: str, *seen: Seen) -> list[Note]:
    """What a check over a scenario says to these exchanges."""
    found = CHECKS[check]
    assert found.judge_steps is not None
    return list(found.judge_steps(Steps(seen)))


def got(notes: Sequence[Note]) -> list[str]:
    """What the findings among the notes say came; fails for a note of another kind."""
    assert all(isinstance(note, Finding) for note in notes), notes
    return [note.got for note in notes if isinstance(note, Finding)]
