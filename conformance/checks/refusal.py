"""The refusal of a request too many: its body, and when it says to come back."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterator

from ..advertised import advertised, is_epoch, number, retry_after, server_now
from ..check import Finding, Note, Steps, Unclear, each, of
from ..seen import Seen

SLACK_S = 2


@each("refusals", legible=True, when=lambda seen: seen.status == 429)
def refusal_text(seen: Seen) -> Iterator[Note]:
    """The body of a 429 says in a sentence what happened, in its documented place."""
    if not isinstance(seen.refusal().get("message"), str):
        place = seen.dialect.errors["rate_limited"].shape.roles["message"][0]
        yield Finding(f"text at {place}", f"{seen.exchange.content[:160]!r}", seen)


@each("refusals", legible=True, when=lambda seen: seen.status == 429 and bool(_pointers(seen)))
def retry_after_body(seen: Seen) -> Iterator[Note]:
    """The body of a 429 says in how many whole seconds to try again."""
    value = seen.refusal().get("retry_after")
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        yield Finding(f"whole seconds, 1 or more, at {_pointers(seen)[0]}", f"{value!r:.60}", seen)


@each("refusals", when=lambda seen: seen.status == 429)
def retry_after_header(seen: Seen) -> Iterator[Note]:
    """A 429 carries Retry-After (AMB-04)."""
    if retry_after(seen) is None:
        yield Finding("a Retry-After header", "none", seen)


@each("refusals", when=lambda seen: seen.status == 503)
def retry_after_503(seen: Seen) -> Iterator[Note]:
    """A 503 carries Retry-After (RFC 9110 15.6.4)."""
    yield from retry_after_header(seen)


@each("refusals", when=lambda seen: retry_after(seen) is not None)
def retry_after_valid(seen: Seen) -> Iterator[Note]:
    """A Retry-After is a number of seconds or a date of HTTP (RFC 9110 10.2.3)."""
    value = retry_after(seen)
    if number(value) is None and email.utils.parsedate_tz(value) is None:
        yield Finding("Retry-After: seconds, or an HTTP date", f"Retry-After: {value}", seen)


@each("refusals", when=lambda seen: retry_after(seen) is not None)
def retry_after_seconds(seen: Seen) -> Iterator[Note]:
    """A Retry-After is a number of seconds, which is what the printed client multiplies."""
    if number(retry_after(seen)) is None:
        yield Finding("Retry-After in seconds", f"Retry-After: {retry_after(seen)}", seen)


@each("refusals", when=lambda seen: seen.status == 429 and number(retry_after(seen)) is not None)
def retry_after_agrees(seen: Seen) -> Iterator[Note]:
    """The body and the header of a 429 name the same number of seconds, give or take one (AMB-04)."""
    body, header = seen.refusal().get("retry_after"), number(retry_after(seen))
    if isinstance(body, int) and header is not None and abs(body - header) > 1:
        yield Finding(f"Retry-After within a second of the body's {body}", f"{header}", seen)


@each("refusals", when=lambda seen: seen.status == 429 and advertised(seen).remaining == 0)
def retry_after_is_reset(seen: Seen) -> Iterator[Note]:
    """The wait that the body of a 429 names ends when the window does."""
    body, said = seen.refusal().get("retry_after"), advertised(seen)
    if isinstance(body, int) and is_epoch(said.reset):
        wait = (said.reset or 0) - server_now(seen)
        by_our_clock = (said.reset or 0) - seen.exchange.sent_at
        if min(abs(body - wait), abs(body - by_our_clock)) > SLACK_S:
            yield Finding(f"retry_after of about {wait:.0f} s, when the window ends", f"{body}", seen)


@each("refusals", when=lambda seen: seen.status == 429 and bool(_pointers(seen)))
def retry_after_text(seen: Seen) -> Iterator[Note]:
    """The sentence in a 429's body names the same number of seconds as its field."""
    found = seen.refusal()
    numbers = re.findall(r"[0-9]+", str(found.get("message", "")))
    if numbers and isinstance(found.get("retry_after"), int) and str(found["retry_after"]) not in numbers:
        yield Finding(f"{found['retry_after']} seconds in the sentence as well", f"{found.get('message')!r:.120}", seen)


@of("exhaust")
def refusal_json(steps: Steps) -> Iterator[Note]:
    """A refusal for too many requests is JSON, also when a stream was asked for."""
    refused = [seen for seen in steps.all if seen.status == 429]
    if not refused:
        yield Unclear("the limit was not reached")
    for seen in refused:
        if seen.exchange.content_type != "application/json":
            yield Finding("Content-Type: application/json", f"{seen.exchange.header('content-type')}", seen)


@of("exhaust")
def refusal_remaining(steps: Steps) -> Iterator[Note]:
    """A refusal for too many requests a minute says that none remain."""
    spent = steps.named("spend-")
    refused = [seen for seen in (*spent[1:][-1:], *steps.named("refused")) if seen.status == 429]
    if len(spent) < 2 or not refused:
        yield Unclear("the limit was not reached by these requests")
        return
    for seen in refused:
        if advertised(seen).remaining not in (0, None):
            yield Finding("0 remaining", f"{advertised(seen).remaining}", seen)


def _pointers(seen: Seen) -> tuple[str, ...]:
    return seen.dialect.errors["rate_limited"].shape.roles.get("retry_after", ())
