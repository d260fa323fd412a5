"""The limit headers: that they are there, what they may say, and how they fall.

Any window conforms: fixed from the first request, aligned to the clock, or sliding (AMB-21).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..advertised import advertised, is_epoch, names, number, server_now
from ..check import Finding, Note, Steps, Unclear, each, of
from ..seen import Seen

MINUTE_S, DAY_S = 60, 86_400
UNREAD = ("malformed", "deep", "surrogate", "content-type", "huge")
"""Requests that a server may turn away before it looks at anybody's key."""
SLACK_S = 2
"""Whole seconds, and two clocks read at two times: so much may differ."""


def _known_key(seen: Seen) -> bool:
    return seen.asked.get("key") not in (None, "revoked")


@each("replies", when=_known_key)
def on_replies(seen: Seen) -> Iterator[Note]:
    """Every JSON reply carries the limit headers."""
    yield from _present(seen)


@each("streams", when=_known_key)
def on_streams(seen: Seen) -> Iterator[Note]:
    """Every stream carries the limit headers."""
    yield from _present(seen)


@each(
    "refusals",
    when=lambda seen: (
        _known_key(seen)
        and (seen.status in (400, 402, 404, 422) or (seen.status in (500, 503) and seen.may_fail))
        and seen.for_the_api
        and seen.asked["step"] not in UNREAD
    ),
)
def on_refusals(seen: Seen) -> Iterator[Note]:
    """Every error that answers a valid key carries the limit headers."""
    yield from _present(seen)


@each("keys")
def on_keys(seen: Seen) -> Iterator[Note]:
    """The answer to key creation carries the limit headers."""
    yield from _present(seen)


@each("refusals", when=lambda seen: seen.status == 429)
def on_429(seen: Seen) -> Iterator[Note]:
    """The refusal of a request too many carries the limit headers."""
    yield from _present(seen)


@each("refusals", when=lambda seen: seen.status == 401)
def on_401(seen: Seen) -> Iterator[Note]:
    """The refusal of a caller without a valid key carries the limit headers as well (AMB-11)."""
    yield from _present(seen)


@each("answers")
def integers(seen: Seen) -> Iterator[Note]:
    """The limit headers are decimal whole numbers, each given once."""
    for name in names(seen):
        values = seen.exchange.headers_named(name)
        if len(values) > 1:
            yield Finding(f"{name} once", f"{len(values)} times: {', '.join(values)}", seen)
        elif values and number(values[0].removeprefix("-")) is None:
            yield Finding(f"{name}: a decimal whole number", f"{name}: {values[0]}", seen)


@each("answers", when=lambda seen: seen.exchange.header(names(seen)[1]) is not None)
def within(seen: Seen) -> Iterator[Note]:
    """What remains is between 0 and the limit."""
    said = advertised(seen)
    value = seen.exchange.header(names(seen)[1]) or ""
    if value.startswith("-") and number(value[1:]) is not None:
        yield Finding("0 or more remaining", value, seen)
    elif said.remaining is not None and said.limit is not None and said.remaining > said.limit:
        yield Finding(f"at most {said.limit} remaining", f"{said.remaining}", seen)


@each("answers", when=lambda seen: advertised(seen).reset is not None)
def reset_epoch(seen: Seen) -> Iterator[Note]:
    """The reset counts seconds since the epoch, not milliseconds and not seconds from now (AMB-16)."""
    said = advertised(seen).reset
    if said is not None and not is_epoch(said):
        yield Finding("seconds since the epoch", f"{said}", seen)


@each("answers", when=lambda seen: is_epoch(advertised(seen).reset))
def reset_within(seen: Seen) -> Iterator[Note]:
    """The reset is not past, and no further ahead than a window is long."""
    said = advertised(seen).reset or 0
    ahead, by_our_clock = said - server_now(seen), said - seen.exchange.sent_at
    window = DAY_S if _by_day(seen) else MINUTE_S
    if any(-SLACK_S <= one <= window + SLACK_S for one in (ahead, by_our_clock)):
        return
    if seen.exchange.header("date") is None:
        yield Unclear("no Date header tells the target's clock by which to read the reset")
    else:
        yield Finding(f"a time 0 to {window} s ahead", f"{said}, which is {ahead:+.0f} s", seen)


@of("falling")
def falls(steps: Steps) -> Iterator[Note]:
    """Within one window, each request lowers what remains by one."""
    said = [(seen, advertised(seen)) for seen in steps.all if seen.ok]
    same_window = [
        (after, one, two)
        for (_, one), (after, two) in pairwise(said)
        if one.reset is not None and one.reset == two.reset and one.remaining is not None and two.remaining is not None
    ]
    for after, one, two in same_window:
        if one.remaining is not None and two.remaining != one.remaining - 1:
            yield Finding(f"{one.remaining - 1} remaining after {one.remaining}", f"{two.remaining}", after)
    if not same_window:
        reason = "no two requests in a row fell into one window" if len(said) > 1 else "too few requests succeeded"
        yield Unclear(reason if any(one.remaining is not None for _, one in said) else "no response says what remains")


def _by_day(seen: Seen) -> bool:
    """Whether the headers may tell of a day: those of the key ``daily``, and where a plan has a limit for a day as well, unless
    the limit that they name is one that a plan has for a minute."""
    plans = seen.dialect.plans.values()
    if seen.asked.get("key") == "daily" or not plans:
        return True
    by_minute = {seen.profile.limits.requests_per_minute, *(plan.requests_per_minute for plan in plans)} - {None}
    return advertised(seen).limit not in by_minute and any(plan.requests_per_day for plan in plans)


def _present(seen: Seen) -> Iterator[Note]:
    missing = [name for name in names(seen) if seen.exchange.header(name) is None]
    if missing:
        yield Finding(", ".join(names(seen)), f"no {', no '.join(missing)} (status {seen.status})", seen)
