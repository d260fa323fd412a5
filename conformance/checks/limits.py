"""Rate limits: what the three headers say on every kind of response, and what happens when a limit is reached.

Any window conforms: fixed from the first request, aligned to the clock, or sliding (AMB-21).
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ..check import Finding, Note, Reading, Steps, Unclear, Unverified, each, of
from ..seen import Seen

MINUTE_S, DAY_S = 60, 86_400
ELSEWHERE = ("nowhere", "get", "head", "malformed", "deep", "surrogate", "content-type", "huge")
"""Requests that a server may turn away before it looks at anybody's key."""
SLACK_S = 2
"""Whole seconds, and two clocks read at two times: so much may differ."""


@dataclass(frozen=True)
class Advertised:
    """The three headers of one response, where they are whole numbers."""

    limit: int | None
    remaining: int | None
    reset: int | None


def advertised(seen: Seen) -> Advertised:
    """What a response says of the limit; ``None`` for a header that is missing or no whole number."""
    return Advertised(*(_number(seen.exchange.header(name)) for name in _names(seen)))


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
    when=lambda seen: _known_key(seen) and seen.status in (400, 404, 422) and seen.asked["step"] not in ELSEWHERE,
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
    for name in _names(seen):
        values = seen.exchange.headers_named(name)
        if len(values) > 1:
            yield Finding(f"{name} once", f"{len(values)} times: {', '.join(values)}", seen)
        elif values and _number(values[0]) is None:
            yield Finding(f"{name}: a decimal whole number", f"{name}: {values[0]}", seen)


@each("answers", when=lambda seen: advertised(seen).remaining is not None)
def within(seen: Seen) -> Iterator[Note]:
    """What remains is between 0 and the limit."""
    said = advertised(seen)
    if said.remaining is not None and said.limit is not None and said.remaining > said.limit:
        yield Finding(f"at most {said.limit} remaining", f"{said.remaining}", seen)


@each("answers", when=lambda seen: advertised(seen).reset is not None)
def reset_epoch(seen: Seen) -> Iterator[Note]:
    """The reset counts seconds since the epoch, not milliseconds and not seconds from now (AMB-16)."""
    said = advertised(seen).reset
    if said is not None and not _is_epoch(said):
        yield Finding("seconds since the epoch", f"{said}", seen)


@each("answers", when=lambda seen: _is_epoch(advertised(seen).reset))
def reset_within(seen: Seen) -> Iterator[Note]:
    """The reset is not past, and no further ahead than a window is long."""
    said = advertised(seen).reset
    ahead = (said or 0) - _server_now(seen)
    daily = any(plan.requests_per_day for plan in seen.dialect.plans.values())
    window = DAY_S if daily or not seen.dialect.plans else MINUTE_S
    if not -SLACK_S <= ahead <= window + SLACK_S:
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


@of("exhaust")
def plan(steps: Steps) -> Iterator[Note]:
    """The advertised limit is that of the key's plan."""
    first = steps["spend-001"]
    said, planned = advertised(first).limit, first.profile.limits.requests_per_minute
    if said is None:
        yield Unverified("no response says the limit")
    elif said != planned:
        yield Finding(f"the plan's limit of {planned}", f"{said}", first)


@of("exhaust")
def enforced(steps: Steps) -> Iterator[Note]:
    """A key that has spent its requests per minute is refused with 429."""
    yield from _enforced(steps, "requests_per_minute")


@of("exhaust-day")
def enforced_daily(steps: Steps) -> Iterator[Note]:
    """A key that has spent its requests per day is refused with 429."""
    yield from _enforced(steps, "requests_per_day")


@of("exhaust")
def not_early(steps: Steps) -> Iterator[Note]:
    """No request is refused while the headers say that some remain."""
    for before, after in pairwise(steps.named("spend-")):
        remaining = advertised(before).remaining
        if after.status == 429 and before.ok and remaining is not None and remaining > 0:
            yield Finding(f"an answer, with {remaining} remaining", "429", after)


@of("exhaust")
def not_late(steps: Steps) -> Iterator[Note]:
    """No request succeeds after the headers said that none remain, before the window ends."""
    for before, after in pairwise(steps.named("spend-")):
        said = advertised(before)
        if said.remaining == 0 and after.ok and said.reset is not None and _server_now(after) < said.reset - 1:
            yield Finding("429, with none remaining", f"{after.status}", after)


@of("exhaust")
def stream_refused(steps: Steps) -> Iterator[Note]:
    """A stream is refused like any other request, by status and JSON."""
    if not any(seen.status == 429 for seen in steps.all):
        yield Unclear("the limit was not reached")
    elif (seen := steps["refused-stream"]).status != 429:
        yield Finding("status 429", f"status {seen.status}", seen)


@of("exhaust")
def per_key(steps: Steps) -> Iterator[Note]:
    """One key's spent limit is no other key's matter."""
    if not any(seen.status == 429 for seen in steps.named("spend-")):
        yield Unclear("the limit was not reached")
    elif (seen := steps["other-key"]).status == 429:
        yield Finding("an answer, since this key has spent nothing", "429", seen)


@of("exhaust")
def refusal_json(steps: Steps) -> Iterator[Note]:
    """A refusal for too many requests is JSON, also when a stream was asked for."""
    refused = [seen for seen in steps.all if seen.status == 429]
    if not refused:
        yield Unclear("the limit was not reached")
    for seen in refused:
        if seen.exchange.content_type != "application/json":
            yield Finding("Content-Type: application/json", f"{seen.exchange.header('content-type')}", seen)


@each("refusals", when=lambda seen: seen.status == 429)
def refusal_text(seen: Seen) -> Iterator[Note]:
    """The body of a 429 says in a sentence what happened, in its documented place."""
    if not isinstance(seen.refusal().get("message"), str):
        place = seen.dialect.errors["rate_limited"].shape.roles["message"][0]
        yield Finding(f"text at {place}", f"{seen.exchange.body[:160]!r}", seen)


@of("exhaust")
def refusal_remaining(steps: Steps) -> Iterator[Note]:
    """A refusal for too many requests a minute says that none remain."""
    refused = [seen for seen in steps.all if seen.status == 429]
    if not refused:
        yield Unclear("the limit was not reached")
    for seen in refused:
        if advertised(seen).remaining not in (0, None):
            yield Finding("0 remaining", f"{advertised(seen).remaining}", seen)


@of("exhaust")
def first_plan(steps: Steps) -> Iterator[Note]:
    """A key of the first documented plan may send as many requests a minute as its table says."""
    spent = steps.named("spend-")
    plan = next(iter(spent[0].dialect.plans.values()))
    if spent[0].profile.limits.requests_per_minute != plan.requests_per_minute:
        yield Unverified(f"credentials.limited is no key of the plan {plan.name}")
    elif advertised(spent[0]).limit not in (plan.requests_per_minute, None):
        yield Finding(f"{plan.requests_per_minute} requests a minute", f"{advertised(spent[0]).limit}", spent[0])
    else:
        yield from not_early(steps)


@each("refusals", when=lambda seen: seen.status == 429 and bool(_pointers(seen)))
def retry_after_body(seen: Seen) -> Iterator[Note]:
    """The body of a 429 says in how many whole seconds to try again."""
    value = seen.refusal().get("retry_after")
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        yield Finding(f"whole seconds, 1 or more, at {_pointers(seen)[0]}", f"{value!r:.60}", seen)


@each("refusals", when=lambda seen: seen.status == 429)
def retry_after_header(seen: Seen) -> Iterator[Note]:
    """A 429 carries Retry-After (AMB-04)."""
    if _retry_after(seen) is None:
        yield Finding("a Retry-After header", "none", seen)


@each("refusals", when=lambda seen: seen.status == 503)
def retry_after_503(seen: Seen) -> Iterator[Note]:
    """A 503 carries Retry-After (RFC 9110 15.6.4)."""
    yield from retry_after_header(seen)


@each("refusals", when=lambda seen: _retry_after(seen) is not None)
def retry_after_valid(seen: Seen) -> Iterator[Note]:
    """A Retry-After is a number of seconds or a date of HTTP (RFC 9110 10.2.3)."""
    value = _retry_after(seen)
    if _number(value) is None and email.utils.parsedate_tz(value) is None:
        yield Finding("Retry-After: seconds, or an HTTP date", f"Retry-After: {value}", seen)


@each("refusals", when=lambda seen: _retry_after(seen) is not None)
def retry_after_seconds(seen: Seen) -> Iterator[Note]:
    """A Retry-After is a number of seconds, which is what the printed client multiplies."""
    if _number(_retry_after(seen)) is None:
        yield Finding("Retry-After in seconds", f"Retry-After: {_retry_after(seen)}", seen)


@each("refusals", when=lambda seen: seen.status == 429 and _number(_retry_after(seen)) is not None)
def retry_after_agrees(seen: Seen) -> Iterator[Note]:
    """The body and the header of a 429 name the same number of seconds, give or take one (AMB-04)."""
    body, header = seen.refusal().get("retry_after"), _number(_retry_after(seen))
    if isinstance(body, int) and header is not None and abs(body - header) > 1:
        yield Finding(f"Retry-After within a second of the body's {body}", f"{header}", seen)


@each("refusals", when=lambda seen: seen.status == 429 and advertised(seen).remaining == 0)
def retry_after_is_reset(seen: Seen) -> Iterator[Note]:
    """The wait that the body of a 429 names ends when the window does."""
    body, said = seen.refusal().get("retry_after"), advertised(seen)
    if isinstance(body, int) and _is_epoch(said.reset):
        wait = (said.reset or 0) - _server_now(seen)
        if abs(body - wait) > SLACK_S:
            yield Finding(f"retry_after of about {wait:.0f} s, when the window ends", f"{body}", seen)


@each("refusals", when=lambda seen: seen.status == 429 and bool(_pointers(seen)))
def retry_after_text(seen: Seen) -> Iterator[Note]:
    """The sentence in a 429's body names the same number of seconds as its field."""
    found = seen.refusal()
    numbers = re.findall(r"[0-9]+", str(found.get("message", "")))
    if numbers and isinstance(found.get("retry_after"), int) and str(found["retry_after"]) not in numbers:
        yield Finding(f"{found['retry_after']} seconds in the sentence as well", f"{found.get('message')!r:.120}", seen)


@of("concurrent")
def concurrency(steps: Steps) -> Iterator[Note]:
    """A stream more than the plan allows at the same time is refused with 429."""
    held = steps.named("held-")
    if not all(seen.ok for seen in held):
        yield Unclear(f"the streams to hold open were answered {[seen.status for seen in held]}")
    elif (seen := steps["beyond"]).status != 429:
        yield Finding(f"status 429 beside {len(held)} open streams", f"status {seen.status}", seen)


@of("concurrent")
def slot_returns(steps: Steps) -> Iterator[Note]:
    """A client that hangs up gives its place back."""
    if steps["beyond"].status != 429:
        yield Unclear("the limit of open streams was not reached")
    elif not steps.named("after")[-1].ok:
        last = steps.named("after")[-1]
        yield Finding("a stream, since all others were hung up", f"status {last.status}", last)


@of("exhaust")
def window(steps: Steps) -> Iterator[Note]:
    """Which kind of window the limit has, as far as the headers show (AMB-21)."""
    resets = [advertised(seen).reset for seen in steps.named("spend-")]
    known = [reset for reset in resets if reset is not None]
    if not known:
        yield Unverified("no response says when the window ends")
    elif all(reset % MINUTE_S == 0 for reset in known):
        yield Reading("aligned", "windows end on whole minutes")
    elif len(set(known)) <= 2:
        yield Reading("fixed", "a window keeps its end from its first request on")
    else:
        yield Reading("sliding", "the end of the window moves with the requests")


def _is_epoch(reset: int | None) -> bool:
    """Whether a number can be a time in epoch seconds: from 2001 to 2286 they have ten digits."""
    return reset is not None and 10**9 <= reset < 10**10


def _enforced(steps: Steps, which: str) -> Iterator[Note]:
    spent = steps.named("spend-")
    if not spent:
        yield Unverified(f"limits.{which} is too high to be spent here")
    elif spent[-1].status != 429:
        allowed = getattr(spent[0].profile.limits, which)
        yield Finding(f"429 after {allowed} requests", f"status {spent[-1].status} to number {len(spent)}", spent[-1])
    elif len(spent) == 1:
        yield Unclear("the very first request was refused: something else had spent the limit")


def _present(seen: Seen) -> Iterator[Note]:
    missing = [name for name in _names(seen) if seen.exchange.header(name) is None]
    if missing:
        yield Finding(", ".join(_names(seen)), f"no {', no '.join(missing)} (status {seen.status})", seen)


def _names(seen: Seen) -> tuple[str, str, str]:
    limits = seen.dialect.limits
    return limits.limit, limits.remaining, limits.reset


def _pointers(seen: Seen) -> tuple[str, ...]:
    return seen.dialect.errors["rate_limited"].shape.roles.get("retry_after", ())


def _retry_after(seen: Seen) -> str | None:
    return seen.exchange.header(seen.dialect.limits.retry_after)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]+", text) else None


def _server_now(seen: Seen) -> float:
    """The target's own clock where it says it (``Date``), else ours."""
    date = seen.exchange.header("date")
    parsed = email.utils.parsedate_tz(date) if date else None
    return email.utils.mktime_tz(parsed) if parsed else seen.exchange.sent_at
