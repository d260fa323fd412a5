"""What a response says of the limits: the three headers, ``Retry-After``, and the clock to read them by."""

from __future__ import annotations

import email.utils
import re
from dataclasses import dataclass

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
