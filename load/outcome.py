"""What became of a turn: exactly one of a closed set, of which only ``ok`` enters latency.

An error that is answered fast would make a failing target look quick, and a stream that was cut looks like a short one.
"""

from __future__ import annotations

from ..conformance.exchange import End
from .glance import Glimpse

OUTCOMES = {
    "ok": "answered to its end, with the right answer as far as could be told",
    "refused_429": "over a limit",
    "refused_402": "no balance left",
    "http_error": "any other status that is not 2xx",
    "error_event": "the stream said itself that it failed",
    "truncated": "the connection ended before the response did",
    "malformed": "the framing, an event or the JSON could not be read, or something followed the end",
    "no_terminal": "the response is whole, but the stream has no event that ends it",
    "wrong_answer": "no text, another session's name, or the word that had to come back did not",
    "mixup": "the answer bears a word of another conversation",
    "timeout": "a deadline passed",
    "connect_failed": "no connection: refused, unreachable, TLS",
    "unfinished": "cut off by the end of the run, and no fault of the target",
}
"""Outcome -> what it says. ``unfinished`` counts neither for nor against."""

TIMEOUTS = (End.CONNECT_TIMEOUT, End.FIRST_BYTE_TIMEOUT, End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT)
NO_CONNECTION = (End.REFUSED, End.UNREACHABLE, End.TLS)
REFUSED = {429: "refused_429", 402: "refused_402"}


def outcome(end: End, seen: Glimpse) -> tuple[str, str]:
    """The outcome of a response by itself, and a few words on why; whether the answer is the right one is not asked here."""
    if end in NO_CONNECTION:
        return "connect_failed", end.value
    if end in TIMEOUTS:
        return "timeout", end.value
    if seen.status is None:
        return ("malformed", "no status line") if seen.started else ("truncated", f"{end.value} before any byte")
    if not 200 <= seen.status < 300:
        return REFUSED.get(seen.status, "http_error"), f"status {seen.status}"
    if end is End.BROKEN:
        return "malformed", "the framing is broken"
    if not seen.whole:
        return "truncated", "the connection ended before the response did"
    if seen.failure is not None:
        return "error_event", seen.failure
    if seen.problem is not None:
        return "malformed", seen.problem
    if seen.streamed and not seen.terminals:
        return "no_terminal", "no event that ends the stream"
    return "ok", ""
