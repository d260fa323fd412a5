"""What a response says of the limits: the three headers, ``Retry-After``, and the clock to read them by."""

from __future__ import annotations

import email.utils
import re
from dataclasses import dataclass

from .exchange import Exchange
from .seen import Seen


@dataclass(frozen=True)
class Advertised:
    """The three headers of one response, where they are whole numbers."""

    limit: int | None
    remaining: int | None
    reset: int | None


def advertised(seen: Seen) -> Advertised:
    """What a response says of the limit; ``None`` for a header that is missing or no whole number."""
    return Advertised(*(number(seen.exchange.header(name)) for name in names(seen)))


def retry_after(seen: Seen) -> str | None:
    return seen.exchange.header(seen.dialect.limits.retry_after)


def stated_wait(seen: Seen) -> float | None:
    """In how many seconds to come back, as a refusal says it; where it says so twice, where it is documented to.

    The body's field first, since only a documented one is read; then ``Reset`` and ``Retry-After``. ``None``: it does not say.
    """
    body = seen.refusal().get("retry_after")
    if isinstance(body, int) and not isinstance(body, bool):
        return float(max(body, 0))
    reset = advertised(seen).reset
    until_reset = max(reset - server_now(seen), 0.0) if reset is not None and is_epoch(reset) else None
    waits = [until_reset, _header_wait(seen)]
    return next((wait for wait in waits[:: 1 if seen.dialect.limits.promised else -1] if wait is not None), None)


def heard_at(exchange: Exchange) -> float:
    """When the last of a response came, in epoch seconds: what a stated wait counts from."""
    last_ns = exchange.reads[-1].at_ns if exchange.reads else exchange.sent_ns
    return exchange.sent_at + (last_ns - exchange.sent_ns) / 1e9


def _header_wait(seen: Seen) -> float | None:
    value = retry_after(seen)
    if (whole := number(value)) is not None:
        return float(whole)
    date = email.utils.parsedate_tz(value) if value else None
    try:
        return max(email.utils.mktime_tz(date) - server_now(seen), 0.0) if date else None
    except (ValueError, OverflowError):
        return None


def number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"0*[0-9]{1,18}", text) else None


def is_epoch(reset: int | None) -> bool:
    """Whether a number can be a time in epoch seconds: from 2001 to 2286 they have ten digits."""
    return reset is not None and 10**9 <= reset < 10**10


def server_now(seen: Seen) -> float:
    """The target's own clock where it says it (``Date``), else ours."""
    date = seen.exchange.header("date")
    parsed = email.utils.parsedate_tz(date) if date else None
    try:
        return email.utils.mktime_tz(parsed) if parsed else seen.exchange.sent_at
    except (ValueError, OverflowError):
        return seen.exchange.sent_at


def names(seen: Seen) -> tuple[str, str, str]:
    limits = seen.dialect.limits
    return limits.limit, limits.remaining, limits.reset
