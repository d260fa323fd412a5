"""Turns at the same time: of two sessions, which stay apart, and of one, which must survive it, hung up on or not."""

from __future__ import annotations

from collections.abc import Iterator

from ..check import Finding, Note, Reading, Steps, Unclear, Unverified, of
from ..exchange import End
from ..seen import Seen
from .session import nonce_of


@of("together")
def apart(steps: Steps) -> Iterator[Note]:
    """Turns of two sessions that overlap in time are not mixed up: neither their answers, nor what is remembered."""
    told, asked = [steps["tell-one"], steps["tell-two"]], [steps["ask-one"], steps["ask-two"]]
    words = [nonce_of(seen) for seen in told]
    if not all(seen.asked["session"] for seen in asked):
        yield Unclear("no answer named a session to go on with")
        return
    if not all(seen.ok for seen in told):
        yield Unclear(f"the streams were answered {[seen.status for seen in told]}")
        return
    mixed = [
        Finding(f"nothing of {other!r}, said in another session just then", f"{seen.text!r:.200}", seen)
        for other, answers in zip(reversed(words), zip(told, asked, strict=True), strict=True)
        for seen in answers
        if other in _said(seen)
    ]
    yield from mixed or _forgotten(told, asked, words)


def _forgotten(told: list[Seen], asked: list[Seen], words: list[str]) -> Iterator[Note]:
    """One session that remembers while the other does not; or a reason why nothing can be said."""
    known = [mine in _said(seen) for mine, seen in zip(words, asked, strict=True)]
    if any(known) and not all(known):
        lost = asked[known.index(False)]
        if not lost.ok:
            yield Unclear(f"one of the sessions was answered {lost.status} afterwards")
        else:
            yield Finding(
                f"{words[known.index(False)]!r}, as the other session remembers its own", _said(lost)[:200], lost
            )
    elif not any(known) and not any(word in _said(seen) for word, seen in zip(words, told, strict=True)):
        yield Unclear("the agent neither repeats nor recalls anything, so a mix-up could not be seen")


@of("together")
def survives(steps: Steps) -> Iterator[Note]:
    """A second turn in a session whose first has not ended is answered or refused; neither turn, nor the session, breaks."""
    for step in ("same-1", "same-2", "same-after"):
        seen = steps[step]
        if seen.status >= 500 or not seen.exchange.reads:
            got = f"status {seen.status}" if seen.status else f"no response ({seen.exchange.end.value})"
            yield Finding("an answer or a refusal", f"{got} to {step!r}", seen)


@of("together")
def one_session(steps: Steps) -> Iterator[Note]:
    """What a second turn meets in a session whose first has not ended (AMB-25)."""
    first, second = steps["same-1"], steps["same-2"]
    if not (first.ok and second.status and second.status < 500):
        yield Unverified("one of the two got no answer")
    elif not second.ok:
        yield Reading("refused", f"a second turn at the same time is refused with {second.status}")
    else:
        over = first.exchange.reads[-1].at_ns < second.exchange.sent_ns
        text = "two turns of one session at the same time are both answered"
        yield Reading("answered", text, ("refused",) if over else ())


@of("together")
def free_again(steps: Steps) -> Iterator[Note]:
    """A session whose client hung up in mid-stream takes another turn, within some seconds."""
    left, asked = steps["left"], steps.named("free-")
    if not left.is_stream:
        yield Unclear(f"the stream to hang up on was answered {left.status or left.exchange.end.value}")
    elif left.exchange.end is not End.LEFT:
        yield Unverified(
            "the stream had ended before anybody could hang up on it; name an agent that is slow, `agents.paced`"
        )
    elif not asked[-1].ok:
        others = steps.named("elsewhere")
        if others and not others[0].ok:
            yield Unclear(f"another session was refused as well just then, with {others[0].status}")
            return
        last = asked[-1]
        got = f"status {last.status}" if last.status else f"no response ({last.exchange.end.value})"
        yield Finding("an answer in the session that was hung up on", f"{got} to the {len(asked)}. try", last)


def _said(seen: Seen) -> str:
    return seen.text or ""
