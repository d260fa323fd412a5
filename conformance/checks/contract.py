"""The contract: generated bodies are taken or refused as the OpenAPI document says, and what is answered conforms to it.

Refusals prove nothing about a target that refuses everything. So the same request must first have been answered when made
well, and at least one valid body of the same operation must be; a run of nothing but 401 or 429 is inconclusive.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..check import Finding, Note, Steps, Unclear, Unverified, of
from ..reading import MISSING
from ..schema import body_violations, documented, event_violations, request_violations
from ..seen import Seen
from .errors import answered, refused

VALID, INVALID = "positive", "negative"
"""What the steps of either kind of body begin with."""
SPENT = (402, 429)
"""What a target answers when the key's balance or limit is spent, whatever the body."""


@of("contract", control="good")
def positive_accepted(steps: Steps) -> Iterator[Note]:
    """A generated body that is valid is answered with success."""
    yield from _gaps(steps, VALID)
    for seen in _telling(steps, VALID):
        yield from answered(seen)


@of("contract", control="good")
def positive_conforms(steps: Steps) -> Iterator[Note]:
    """The answer to a generated body that is valid has the documented fields, of the documented types."""
    yield from _gaps(steps, VALID)
    for seen in _telling(steps, VALID):
        if seen.is_stream:
            yield from _events_conform(seen)
        elif seen.ok:
            yield from _reply_conforms(seen)


@of("contract", control="good")
def negative_refused(steps: Steps) -> Iterator[Note]:
    """A generated body that is invalid is refused with the status that the dialect has for it."""
    yield from _gaps(steps, INVALID)
    answering = _answering(steps)
    for seen in _telling(steps, INVALID):
        if seen.ok or seen.asked["operation"] in answering:
            for finding in refused(seen, "invalid_request"):
                yield _explained(finding, seen)


@of("contract", control="good")
def no_server_error(steps: Steps) -> Iterator[Note]:
    """No generated body, valid or invalid, ends in a server error, a hang or a broken connection (AMB-20)."""
    yield from _gaps(steps, VALID, INVALID)
    for seen in _telling(steps, VALID, INVALID):
        if seen.status >= 500 or not seen.exchange.reads:
            got = f"status {seen.status}" if seen.status else seen.exchange.end.value
            yield Finding("an answer or a refusal", f"{got}: {seen.exchange.content[:120]!r}", seen)


def _reply_conforms(seen: Seen) -> Iterator[Note]:
    if not seen.legible:
        yield Unclear("a reply could not be read; the `http` and `json` requirements say why")
    elif seen.json is MISSING:
        yield Finding("a JSON reply as documented", f"{seen.exchange.content[:160]!r}", seen)
    elif not documented(seen):
        yield Finding("a documented success", f"status {seen.status}", seen)
    elif wrong := "; ".join(body_violations(seen)):
        yield Finding("a reply as documented", f"{wrong} in {seen.exchange.content[:160]!r}", seen)


def _events_conform(seen: Seen) -> Iterator[Note]:
    if not seen.legible:
        yield Unclear("a stream lost something on its way; the `sse` and `http` requirements say what")
        return
    for event in seen.events:
        wrong = event.problem or "; ".join(event_violations(seen, event.value))
        if wrong:
            yield Finding("an event as documented", f"{wrong}: {event.wire.data[:120]}", seen, event.wire.start)
            return


def _generated(steps: Steps, *kinds: str) -> list[Seen]:
    return [seen for seen in steps.all if seen.asked["step"].startswith(kinds)]


def _telling(steps: Steps, *kinds: str) -> list[Seen]:
    """The exchanges that say something of their body."""
    return [seen for seen in _generated(steps, *kinds) if seen.status not in SPENT]


def _answering(steps: Steps) -> set[str]:
    """The operations that answered at least one valid body with success."""
    return {seen.asked["operation"] for seen in _telling(steps, VALID) if seen.ok}


def _gaps(steps: Steps, *kinds: str) -> Iterator[Note]:
    """Why the exchanges of these kinds are not all the evidence there could be; a finding among the rest weighs more."""
    generated = _generated(steps, *kinds)
    broken_off = steps.all[-1].status in SPENT
    spent = [seen for seen in (steps.all if broken_off else generated) if seen.status in SPENT]
    if spent:
        yield Unclear(f"{len(spent)} bodies met the target's own limit ({spent[0].status})")
    elif not generated:
        yield Unverified("the OpenAPI document leaves no such body to generate")
    mute = {seen.asked["operation"] for seen in generated} - _answering(steps)
    if mute:
        yield Unclear(f"{' and '.join(sorted(mute))} answered no valid body with success, so a refusal proves nothing")


def _explained(note: Note, seen: Seen) -> Note:
    """The finding with what is wrong in the body that should have been refused."""
    if not isinstance(note, Finding):
        return note
    return Finding(f"{note.expected} to {_wrong(seen)}", note.got, seen)


def _wrong(seen: Seen) -> str:
    """What is invalid about the body of a request."""
    try:
        body = json.loads(seen.exchange.request.body)
    except (ValueError, RecursionError):
        return "a body that is no JSON"
    violations = request_violations(seen.dialect, seen.asked["operation"], body)
    return f"a body that is wrong {violations[0]:.120}" if violations else "an invalid body"
