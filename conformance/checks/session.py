"""Sessions: created, continued, told apart. An agent's memory is seen through ``recall`` of the profile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ..check import Finding, Note, Reading, Steps, Unclear, of
from ..seen import Seen

UNKNOWN = ("created", "replaced", "404")
"""What an unknown id is met with (AMB-09), of which the answer to another customer's says nothing."""
CONTINUED = ("known", "chosen")
"""With which ids a streamed conversation goes on (AMB-07), of which the stream itself says nothing."""


@of("reply", reads=("new",))
def created(steps: Steps) -> Iterator[Note]:
    """A request without a session gets a new one, and its id."""
    first = steps["new"]
    if not first.ok:
        yield Unclear(f"the request was answered {first.status or first.exchange.end.value}")
    elif not first.session:
        yield Finding("the id of a new session", f"{first.exchange.content[:120]!r}", first)


@of("continue-chosen")
def remembers(steps: Steps) -> Iterator[Note]:
    """What was said first in a session is known later in the same session, over other connections."""
    yield from _recalls(steps, "ask")


@of("continue")
def returned_id(steps: Steps) -> Iterator[Note]:
    """A conversation that began without an id goes on with the id that its first reply returned."""
    yield from _recalls(steps, "ask")


@of("stream")
def created_in_stream(steps: Steps) -> Iterator[Note]:
    """A stream for a request without a session names a new one in its last event."""
    seen = steps["new"]
    if not (seen.is_stream and seen.legible and seen.done):
        yield Unclear("no stream came back whole and readable")
    elif not seen.session:
        yield Finding("the id of a new session", f"{[event.wire.data for event in seen.of_kind('done')]}", seen)


@of("stream")
def named_in_stream(steps: Steps) -> Iterator[Note]:
    """Whether a stream names its session, where the documents print none (AMB-06, AMB-07)."""
    seen = steps["new"]
    if not (seen.is_stream and seen.legible):
        yield Unclear("no readable stream came back")
    elif seen.session:
        yield Reading("named", "a stream names its session", CONTINUED)
    else:
        yield Reading("silent", "a stream names no session", CONTINUED)


@of("continue")
def apart(steps: Steps) -> Iterator[Note]:
    """What was said in one session is not known in a new one."""
    yield from _forgets(steps, "elsewhere")


@of("continue-near")
def near(steps: Steps) -> Iterator[Note]:
    """Two ids that differ in their last letter, or in their case alone, are two sessions."""
    yield from _forgets(steps, "near-end")
    yield from _forgets(steps, "near-case")


@of("continue")
def new_each_time(steps: Steps) -> Iterator[Note]:
    """Two requests without a session begin two sessions with ids of their own."""
    first, second = steps["tell"], steps["elsewhere"]
    if not (first.session and second.session):
        yield Unclear("the answers name no session")
    elif first.session == second.session:
        yield Finding("another id than the session before", f"{second.session!r} again", second)


@of("refused-turns")
def refused_unheard(steps: Steps) -> Iterator[Note]:
    """What a refused request said is not known afterwards: it has no turn in the session."""
    asked = steps["ask"]
    for seen in steps.named("refused-"):
        if not seen.ok and nonce_of(seen) in (asked.text or ""):
            yield Finding(f"nothing of a request that was refused with {seen.status}", f"{asked.text!r:.200}", asked)
            return
    if nonce_of(steps["tell"]) not in (asked.text or ""):
        yield Unclear("the agent did not recall what it was told before, so not recalling the rest proves nothing")


@of("continue-stream")
def stream_feeds_memory(steps: Steps) -> Iterator[Note]:
    """What was said in a stream is known to a later JSON request of the same session."""
    yield from _recalls(steps, "ask")


@of("continue-stream")
def stream_remembers(steps: Steps) -> Iterator[Note]:
    """What was said in a session is known to a later stream of the same session."""
    yield from _recalls(steps, "ask-stream")


@of("continue-stream")
def streams_apart(steps: Steps) -> Iterator[Note]:
    """A stream that names no session begins one of its own: it knows nothing of the stream before it."""
    yield from _forgets(steps, "elsewhere-stream", told="told-stream")


@of("continue-named")
def stream_names(steps: Steps) -> Iterator[Note]:
    """The id that a stream names at its end continues the session that it began."""
    yield from _recalls(steps, "ask")


@of("keys-apart")
def foreign(steps: Steps) -> Iterator[Note]:
    """Another customer who names the same session learns nothing of what was said in it."""
    yield from _forgets(steps, "foreign")
    yield from _forgets(steps, "foreign-stream")


@of("keys-apart")
def foreign_answer(steps: Steps) -> Iterator[Note]:
    """What another customer's session id is met with (AMB-09): a fresh session, or a refusal."""
    seen = steps["foreign"]
    if seen.ok:
        yield Reading("fresh", "another customer's session id begins a session of the caller's own", UNKNOWN)
    else:
        yield Reading(str(seen.status), f"another customer's session id is refused with {seen.status}", UNKNOWN)


@of("agents-apart")
def agents_apart(steps: Steps) -> Iterator[Note]:
    """What an agent knows of what another one was told under the same session id (AMB-24)."""
    seen, nonce = steps["elsewhere"], nonce_of(steps["tell"])
    if seen.ok and nonce in (seen.text or ""):
        yield Reading("shared", "agents share what was said under one session id")
    elif not seen.ok:
        text = f"the session id of another agent's conversation is refused with {seen.status}"
        yield Reading(str(seen.status), text, ("apart",))
    elif nonce not in (steps["ask"].text or ""):
        yield Unclear("the agent did not recall it where it should have, so not recalling proves nothing")
    else:
        other_key = seen.asked["key"] != steps["tell"].asked["key"]
        yield Reading("apart", "an agent knows nothing of what another one was told", ("shared",) if other_key else ())


@of("reply")
def chosen(steps: Steps) -> Iterator[Note]:
    """What an id that no session has is met with (AMB-09): a session under that id, another id, or a refusal."""
    seen = steps["chosen"]
    if not seen.ok:
        yield Reading(str(seen.status), f"an unknown session id is refused with {seen.status}")
    elif seen.session == seen.asked["session"]:
        yield Reading("created", "an unknown session id begins a session under that id")
    else:
        yield Reading("replaced", "an unknown session id is replaced by another one")


@of("expiry")
def idle(steps: Steps) -> Iterator[Note]:
    """A session that is used now and then lives on: what counts is how long it lay idle, not when it began."""
    for step in ("ask-1", "ask-2"):
        notes = list(_recalls(steps, step))
        yield from notes
        if notes:
            return


@of("expiry")
def expires(steps: Steps) -> Iterator[Note]:
    """A session that lay idle for longer than it lives has forgotten what was said in it."""
    yield from _forgets(steps, "late")


def nonce_of(told: Seen) -> str:
    """The word that was told: what stands in the message where the profile's sentence has ``{nonce}``."""
    pattern = (
        re.escape(told.profile.recall.tell).replace(re.escape("{nonce}"), "(.+)", 1).replace(re.escape("{nonce}"), ".+")
    )
    found = re.fullmatch(pattern, told.asked["message"])
    assert found is not None, "the scenario tells what the profile says"
    return found[1]


def _recalls(steps: Steps, step: str) -> Iterator[Note]:
    """Blames the target only for an agent that answers the question and does not know: one that merely repeats, or says the
    same whatever it is told, may not be able to recall at all, unless the profile vouches for it."""
    told, asked, nonce = steps["tell"], steps[step], nonce_of(steps["tell"])
    if not asked.asked.get("session"):
        yield Unclear("no answer named a session to go on with")
    elif not (told.ok and asked.ok and asked.legible) or told.text is None or not asked.text:
        yield Unclear(f"the requests were answered {told.status} and {asked.status}, without a text to read")
    elif nonce in asked.text:
        return
    elif _expired(steps, told, asked):
        yield Unclear("more time than `session_expiry` passed between two turns of the session")
    elif asked.profile.recall.given or _answers(told, asked):
        yield Finding(f"an answer with {nonce!r}, told before in this session", f"{asked.text!r:.200}", asked)
    else:
        yield Unclear(
            "this agent seems unable to recall anything; name one that can, and how to ask it, under `recall`"
        )


def _answers(told: Seen, asked: Seen) -> bool:
    """Whether the agent answers what it is asked, rather than repeating it or always saying the same."""
    repeats = asked.asked["message"] in (asked.text or "")
    return not repeats and asked.text != told.text


def _expired(steps: Steps, told: Seen, asked: Seen) -> bool:
    """Whether the session lay idle for longer than it lives, by when its requests were sent: a slow target is not forgetful."""
    session, lifetime = asked.asked["session"], asked.profile.session_expiry_s
    used = (seen for seen in steps.all if seen.ok and seen.asked.get("session") == session)
    sent = sorted({told.exchange.sent_at, asked.exchange.sent_at, *(seen.exchange.sent_at for seen in used)})
    between = [at for at in sent if told.exchange.sent_at <= at <= asked.exchange.sent_at]
    return lifetime is not None and any(later - earlier > lifetime for earlier, later in pairwise(between))


def _forgets(steps: Steps, step: str, told: str = "tell") -> Iterator[Note]:
    seen, nonce = steps[step], nonce_of(steps[told])
    if nonce in seen.exchange.content.decode("utf-8", "replace") or nonce in (seen.text or ""):
        yield Finding("nothing of what was said in that session", f"{nonce!r} in {seen.text or ''!r:.200}", seen)
    elif not any(nonce_of(steps["tell"]) in (other.text or "") for other in steps.named("ask")):
        yield Unclear("the agent did not recall it where it should have, so not recalling proves nothing")
