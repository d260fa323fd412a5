"""Limits reached: per minute, per day, at the same time. A refusal comes exactly when the headers say so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..advertised import advertised, server_now
from ..check import Finding, Note, Reading, Steps, Unclear, Unverified, of
from ..exchange import End
from ..plans import first_plan as first_documented
from ..plans import second_plan as second_documented
from ..seen import Seen

MINUTE_S, DAY_S = 60, 86_400
RATE = "the limit per minute was reached meanwhile, so the refusal says nothing of open streams"
SAME_IN_A_BURST = ("sliding", "bucket")
"""Windows whose end does not move, or hardly, while requests come one right after the other."""
NAMES = {MINUTE_S: "a minute", DAY_S: "a day"}


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
    """No request is refused while the headers say that some remain, unless for a moment and for something else (AMB-21)."""
    spent = steps.named("spend-")
    for before, after in pairwise(spent):
        remaining = advertised(before).remaining
        if after is spent[-1] and after.status == 429 and before.ok and remaining is not None and remaining > 0:
            yield Finding(f"an answer, with {remaining} remaining", "429", after)


@of("exhaust")
def not_late(steps: Steps) -> Iterator[Note]:
    """No request succeeds after the headers said that none remain, before the window ends."""
    for before, after in pairwise(steps.named("spend-")):
        said = advertised(before)
        latest = max(server_now(after), after.exchange.sent_at)
        if said.remaining == 0 and after.ok and said.reset is not None and latest < said.reset - 1:
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
def first_plan(steps: Steps) -> Iterator[Note]:
    """A key of the first documented plan may send as many requests a minute as its table says."""
    spent = steps.named("spend-")
    plan = first_documented(spent[0].dialect)
    assert plan is not None, "only a dialect with plans names this check"
    if spent[0].profile.limits.requests_per_minute != plan.requests_per_minute:
        yield Unverified(f"credentials.limited is no key of the plan {plan.name}")
    elif advertised(spent[0]).limit not in (plan.requests_per_minute, None):
        yield Finding(f"{plan.requests_per_minute} requests a minute", f"{advertised(spent[0]).limit}", spent[0])
    else:
        yield from not_early(steps)


@of("exhaust-day")
def first_plan_daily(steps: Steps) -> Iterator[Note]:
    """A key of the first documented plan may send as many requests a day as its table says."""
    spent = steps.named("spend-")
    if not spent:
        yield Unverified("limits.requests_per_day is too high to be spent here")
        return
    plan, said = first_documented(spent[0].dialect), spent[0].profile.limits.requests_per_day
    assert plan is not None, "only a dialect with plans names this check"
    if said != plan.requests_per_day:
        yield Unverified(
            f"limits.requests_per_day is {said}: only a key with all {plan.requests_per_day} would show it"
        )
    else:
        yield from _exactly(spent, plan.requests_per_day or 0, DAY_S)


@of("exhaust-pro")
def second_plan(steps: Steps) -> Iterator[Note]:
    """A key of the second documented plan may send as many requests a minute as its table says, and no more."""
    spent = steps.named("spend-")
    plan = second_documented(spent[0].dialect) if spent else None
    if plan is None:
        yield Unverified("the dialect documents no second plan")
    else:
        yield from _exactly(spent, plan.requests_per_minute or 0, MINUTE_S)
        yield from not_late(steps)


@of("concurrent-pro")
def second_plan_concurrency(steps: Steps) -> Iterator[Note]:
    """A stream more than the second documented plan allows at the same time is refused with 429."""
    yield from concurrency(steps)


@of("concurrent")
def concurrency(steps: Steps) -> Iterator[Note]:
    """A stream more than the plan allows at the same time is refused with 429."""
    held = steps.named("held-")
    if not all(seen.ok for seen in held):
        yield Unclear(f"the streams to hold open were answered {[seen.status for seen in held]}")
    elif broken := [seen for seen in held if seen.exchange.end == End.BROKEN]:
        yield Unclear(f"a stream to hold open could not be read on: {broken[0].exchange.detail}")
    elif any(seen.exchange.end != End.LEFT for seen in held):
        yield Unclear(
            "the streams to hold open had ended by themselves: agents.paced needs one that takes longer, "
            "or something before the target buffers them"
        )
    elif (seen := steps["beyond"]).status != 429:
        yield Finding(f"status 429 beside {len(held)} open streams", f"status {seen.status}", seen)


@of("concurrent")
def slot_returns(steps: Steps) -> Iterator[Note]:
    """A client that hangs up gives its place back."""
    if steps["beyond"].status != 429:
        yield Unclear("the limit of open streams was not reached")
    elif _for_rate(steps, last := steps.named("after-")[-1]):
        yield Unclear(RATE)
    elif not last.ok:
        yield Finding("a stream within 5 s, since all others were hung up", f"status {last.status}", last)


@of("concurrent")
def slot_ended(steps: Steps) -> Iterator[Note]:
    """A stream that has ended gives its place back: more than are allowed at once may come one after the other."""
    if steps["beyond"].status != 429:
        yield Unclear("the limit of open streams was not reached")
    elif _for_rate(steps, last := steps.named("ended-")[-1]):
        yield Unclear(RATE)
    elif not last.ok:
        yield Finding("a stream, since all others have ended", f"status {last.status}", last)


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
        yield Reading(
            "fixed",
            "a window keeps its end from its first request on, as far as a burst of requests shows",
            SAME_IN_A_BURST,
        )
    else:
        yield Reading("sliding", "the end of the window moves with the requests")


def _exactly(spent: list[Seen], limit: int, window_s: int) -> Iterator[Note]:
    """Whether a key had its ``limit`` and no more. Of what had been spent before, only the headers know."""
    first, last, admitted, per = advertised(spent[0]), spent[-1], len(spent) - 1, NAMES[window_s]
    took = last.exchange.sent_at - spent[0].exchange.sent_at
    before = advertised(spent[-2]).remaining if admitted else None
    if last.ok and took < window_s and (admitted >= 2 * limit or _one_window(spent)):
        yield Finding(f"429 after {limit} requests {per}", f"{len(spent)} answers in {took:.0f} s", last)
    elif last.status != 429:
        yield Unclear(f"none of {len(spent)} requests in {took:.0f} s was refused with 429")
    elif first.limit not in (limit, None):
        yield Finding(f"{limit} requests {per}", f"{first.limit}", spent[0])
    elif before:
        yield Finding(f"an answer, with {before} remaining", "429", last)
    elif admitted < limit and first.remaining == limit - 1:
        yield Finding(f"{limit} requests {per}", f"429 to number {len(spent)}", last)
    elif admitted < limit and first.remaining is None:
        yield Unclear(f"429 to number {len(spent)}, and nothing says how much had been spent before")


def _for_rate(steps: Steps, last: Seen) -> bool:
    """Whether a refusal may be for the plan's requests per minute: its headers say so, or as many were answered before it."""
    limit = last.profile.limits.requests_per_minute
    spent = limit is not None and sum(seen.ok for seen in steps.all) >= limit
    return last.status == 429 and (spent or advertised(last).remaining == 0)


def _one_window(spent: list[Seen]) -> bool:
    """Whether all fell into one window, by the one end that all of them name."""
    resets = {advertised(seen).reset for seen in spent}
    return len(resets) == 1 and None not in resets


def _enforced(steps: Steps, which: str) -> Iterator[Note]:
    spent = steps.named("spend-")
    if not spent:
        yield Unverified(f"limits.{which} is too high to be spent here")
        return
    allowed, last = getattr(spent[0].profile.limits, which) or 0, spent[-1]
    admitted = sum(seen.ok for seen in (*steps.named("knock"), *spent))
    if not last.ok and last.status != 429 and admitted < allowed and advertised(last).remaining != 0:
        yield Unclear(f"number {len(spent)} was answered {last.status or last.exchange.end.value}")
    elif last.status != 429 or (_one_window(spent) and len(spent) - 1 > allowed > 0):
        last = last if last.status != 429 else spent[allowed]
        yield Finding(f"429 after {allowed} requests", f"status {last.status} to number {spent.index(last) + 1}", last)
    elif len(spent) == 1:
        yield Unclear("the very first request was refused: something else had spent the limit")
    else:
        late = [seen for seen in steps.all if seen.asked["step"].startswith("refused")]
        if late and late[0].status == 429 and (stream := late[-1]).ok:
            yield Finding("429 to a stream as to any other request", f"status {stream.status}", stream)
