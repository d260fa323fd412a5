"""After a window: served again once the stated wait is over, and nothing that was refused in between is remembered.

Fixed windows, windows aligned to the clock and sliding ones all conform (AMB-21), so a window counts as renewed only when that
follows for every kind.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..advertised import advertised, heard_at, is_epoch, server_now, stated_wait
from ..check import Finding, Note, Reading, Steps, Unclear, Unverified, of
from ..plans import requests_in_window, window_s
from ..seen import Seen
from .session import nonce_of

SLACK_S = 1.0
"""Both clocks are read in whole seconds."""
ABOUT = 1
"""What is left is told before or after the request itself is counted."""
SPENT_SOON = "a request before the wait was over was served, and may have spent what was there for the one after it"


@of("renewal")
def recovers(steps: Steps) -> Iterator[Note]:
    """A key that was refused for its limit is served again after the wait that it was told."""
    refused, late = _refused(steps), _named(steps, "late")
    if refused is None or late is None:
        yield from _nothing(refused)
    elif late.status != 429 and not late.ok:
        yield Unclear(f"the request after the wait was answered {late.status or late.exchange.end.value}")
    elif late.status == 429 and _served_soon(steps):
        yield Unclear(SPENT_SOON)
    elif late.status == 429:
        wait, waited = stated_wait(refused), late.exchange.sent_at - heard_at(refused.exchange)
        if wait is None:
            yield Unclear(f"the refusal says no wait, and {waited:.0f} s later there was another")
        else:
            yield Finding(f"an answer {waited:.1f} s after a refusal that said to wait {wait:g} s", "429", late)


@of("renewal")
def not_before(steps: Steps) -> Iterator[Note]:
    """What a request meets that is sent well before the stated wait is over."""
    refused, soon = _named(steps, "tell-", 429), _named(steps, "soon")
    if refused is None:
        yield from _nothing(refused)
    elif soon is None:
        yield Unverified("the wait is too short, or longer than deadlines.window allows, to ask well before its end")
    elif soon.status == 429:
        yield Reading("refused", "a request well before the stated wait is over is refused again")
    else:
        word = "served" if soon.ok else str(soon.status)
        yield Reading(word, f"a request well before the stated wait is over is answered {soon.status}")


@of("renewal")
def remaining_renews(steps: Steps) -> Iterator[Note]:
    """What remains rises again once the reset that a refusal named has come."""
    refused, late = _refused(steps), _named(steps, "late")
    if refused is None or late is None:
        yield from _nothing(refused)
        return
    before, now = advertised(refused), advertised(late)
    if before.reset is None or not is_epoch(before.reset) or now.remaining is None or now.limit is None:
        yield Unverified("no response says both what remains and until when")
    elif server_now(late) < before.reset:
        yield Unclear("the stated wait was over before the reset, so nothing had to remain yet")
    elif now.limit != before.limit:
        yield Unclear(f"the headers tell of another limit by now: {now.limit} instead of {before.limit}")
    else:
        yield from _risen(steps, refused, late)


@of("renewal")
def no_trace(steps: Steps) -> Iterator[Note]:
    """What was said in a request that was refused for its limit is not remembered in its session."""
    told = steps.named("tell-")
    lost = [seen for seen in told if seen.status == 429 and seen.asked["session"]]
    asked = [seen for seen in (_named(steps, "late"), _named(steps, "again-ask")) if seen is not None and seen.ok]
    if not lost or not asked:
        yield Unclear("no message of a session was refused, or none could be sent to it afterwards")
        return
    for seen in asked:
        for word in map(nonce_of, lost):
            if word in seen.exchange.content.decode("utf-8", "replace") or word in (seen.text or ""):
                yield Finding("nothing of what was refused with 429", f"{word!r} in {seen.text or ''!r:.200}", seen)
    known = [nonce_of(seen) for seen in (*told, *steps.named("again-tell")) if seen.ok]
    if not any(word in (seen.text or "") for word in known for seen in asked):
        yield Unclear("the agent did not recall it where it should have, so not recalling proves nothing")


@of("renewal")
def exactly(steps: Steps) -> Iterator[Note]:
    """In a window of its own a key is answered as often as its limit says: not once less, and not once more."""
    late = steps["late"]
    counted, again = steps.named("count-"), steps.named("recount-")
    if not counted or counted[-1].status != 429:
        yield Unclear(
            "the limit was not counted through" if counted else "the key was not served again, so nothing was counted"
        )
        return
    key = late.asked["key"]
    limit = requests_in_window(late.profile, key)
    first = [late, *steps.named("again-"), *counted]
    admitted = sum(seen.ok for seen in first)
    if admitted < limit:
        spent_before = [seen for seen in steps.named("tell-") if seen.ok]
        if spent_before and late.exchange.sent_at - heard_at(spent_before[-1].exchange) <= window_s(late.profile, key):
            yield Unclear("requests of before may have counted as well, in a sliding window")
        else:
            yield Finding(f"{limit} answers in a window", f"{admitted}, then 429", counted[-1])
    elif admitted > limit:
        answers = sum(seen.ok for seen in again)
        lasted = max(_lasted(first), _lasted(again))
        if lasted > window_s(late.profile, key) / 2 or not again:
            yield Unclear(f"{admitted} answers in {lasted:.0f} s, which may be two windows")
        elif answers > limit:
            yield Finding(f"{limit} answers in a window", f"{admitted}, and {answers} in the next", again[limit])


def _lasted(seen: list[Seen]) -> float:
    return heard_at(seen[-1].exchange) - seen[0].exchange.sent_at if seen else 0.0


def _risen(steps: Steps, refused: Seen, late: Seen) -> Iterator[Note]:
    left, limit = advertised(late).remaining or 0, advertised(late).limit or 0
    since = sum(seen.ok for seen in steps.all[steps.all.index(refused) + 1 : steps.all.index(late) + 1])
    if late.status == 429 and _served_soon(steps):
        yield Unclear(SPENT_SOON)
    elif late.status == 429:
        if not left:
            yield Finding("some remaining, since the reset has come", f"{left} and 429", late)
    elif _whole_again(steps, late):
        if left < limit - since - ABOUT:
            yield Finding(f"about {limit - since} of {limit} remaining, since the reset has come", f"{left}", late)
    elif not left:
        yield Unclear("one request was served again; that none remain after it is right for a sliding window")


def _whole_again(steps: Steps, late: Seen) -> bool:
    """Whether a window of any kind has lost all that was spent: a whole one ago, or a new one begins with this request."""
    window = window_s(late.profile, late.asked["key"])
    answered = [seen for seen in steps.named("tell-") if seen.ok]
    reset = advertised(late).reset
    if answered and late.exchange.sent_at - heard_at(answered[-1].exchange) > window + SLACK_S:
        return True
    return reset is not None and reset >= server_now(late) + window


def _refused(steps: Steps) -> Seen | None:
    """The last refusal before the wait: the one that says how long it is."""
    soon = _named(steps, "soon", 429)
    return soon or _named(steps, "tell-", 429)


def _served_soon(steps: Steps) -> bool:
    soon = _named(steps, "soon")
    return soon is not None and soon.ok


def _named(steps: Steps, prefix: str, status: int | None = None) -> Seen | None:
    found = [seen for seen in steps.named(prefix) if status in (None, seen.status)]
    return found[-1] if found else None


def _nothing(refused: Seen | None) -> Iterator[Note]:
    if refused is None:
        yield Unclear("the limit was not reached")
    elif (wait := stated_wait(refused)) is None:
        yield Unverified("the end of the window was not waited for: a window is longer than deadlines.window allows")
    else:
        yield Unverified(f"the refusal says to wait {wait:.0f} s, longer than deadlines.window allows")
