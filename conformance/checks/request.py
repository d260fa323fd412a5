"""What must be accepted: the documented request in all its documented spellings."""

from __future__ import annotations

from collections.abc import Iterator

from ..check import Finding, Note, Reading, StepMissing, Steps, Unclear, of
from ..seen import Seen
from .errors import answered

ANSWERED = {
    "endpoint": ("reply", "new", "An ordinary request is answered."),
    "with_session": ("reply", "known", "A request that names a session is answered."),
    "all_fields": ("reply", "all-fields", "A request with every documented field is answered."),
    "null_session": ("reply", "null", "A request whose session is null is answered, as one that names none."),
    "origin": ("reply", "origin", "A request with an Origin header is answered."),
    "stream": ("stream", "new", "A request for a stream is answered."),
    "stream_all_fields": ("stream", "all-fields", "A request for a stream takes every field that one for JSON takes."),
    "metadata": ("metadata", "first", "Additional context for the agent is taken."),
    "metadata_again": ("metadata", "again", "A later message of a session brings context of its own."),
    "metadata_null": ("metadata", "null", "Context of null is taken as none."),
    "json": ("writings", "good", "A body sent as application/json is read as JSON."),
}
"""Check -> the scenario and step that must be answered, and what that shows."""

SAME = {
    "escapes": ("raw", "A character escaped in a request is read as the character itself (RFC 8259 7)."),
    "whitespace": ("spaced", "White space between the parts of a request's JSON changes nothing (RFC 8259 2)."),
    "order": ("reordered", "The order of members in a request changes nothing (RFC 8259 4)."),
    "media_type_case": (
        "media-type",
        "The media type of a request is read in any case, with parameters (RFC 9110 8.3.1).",
    ),
    "header_case": ("header-case", "Names of request headers are read in any case (RFC 9110 5.1)."),
    "scheme_case": ("scheme-case", "The scheme of a credential is read in any case (RFC 9110 11.1)."),
}
"""Check -> the step that must get the same answer as the plain request, and why."""


def _register_answered(name: str, scenario: str, step: str, statement: str) -> None:
    def judge(steps: Steps) -> Iterator[Note]:
        yield from answered(steps[step])

    judge.__doc__ = statement
    of(scenario, name=name)(judge)


def _register_same(name: str, step: str, statement: str) -> None:
    def judge(steps: Steps) -> Iterator[Note]:
        plain, other = steps["good"], steps[step]
        if not other.ok:
            yield from answered(other)
        elif _repeats(plain) and not _repeats(other):
            yield Finding(f"the message in the answer, as in {plain.text!r:.120}", f"{other.text!r:.120}", other)

    judge.__doc__ = statement
    of("writings", name=name, control="good")(judge)


for _name, (_scenario, _step, _statement) in ANSWERED.items():
    _register_answered(_name, _scenario, _step, _statement)
for _name, (_step, _statement) in SAME.items():
    _register_same(_name, _step, _statement)


@of("writings", control="good")
def text_kept(steps: Steps) -> Iterator[Note]:
    """An agent that repeats a message repeats its characters of every plane unchanged."""
    seen = steps["good"]
    word, _, characters = seen.asked["message"].partition(": ")
    if word.split()[-1] not in (seen.text or ""):
        yield Unclear("the agent does not repeat what it is told")
    elif characters not in (seen.text or ""):
        yield Finding(f"{characters!r} in the answer", f"{seen.text!r:.200}", seen)


@of("reply")
def own_answer(steps: Steps) -> Iterator[Note]:
    """A reply answers the message that was sent with it, and not another one."""
    first, second = steps["new"], steps["second"]
    words = [seen.asked["message"].split()[-1].rstrip(".") for seen in (first, second)]
    for seen, own, other in ((first, *words), (second, *reversed(words))):
        if seen.ok and other in (seen.text or "") and own not in (seen.text or ""):
            yield Finding(
                f"an answer to {seen.asked['message']!r}", f"one to another message: {seen.text!r:.120}", seen
            )
    if not any(word in (seen.text or "") for word, seen in zip(words, (first, second), strict=True)):
        yield Unclear("the agent does not repeat what it is told, so its answers cannot be told apart")


@of("reply")
def short_path(steps: Steps) -> Iterator[Note]:
    """Whether the other path that is printed for the operation is served as well (AMB-14)."""
    for seen in steps.named("alias-") or _none("alias-1"):
        word = "answered" if seen.ok else str(seen.status)
        yield Reading(
            word,
            f"{seen.exchange.request.target} is {'served as well' if seen.ok else f'answered {seen.status}'}",
            ("v1-api", *(("root",) if seen.ok else ())),
        )


@of("forms")
def publish_form(steps: Steps) -> Iterator[Note]:
    """Whether the agent may be named in the other documented place (AMB-02)."""
    yield from _forms(steps, "agent-at-", ("publish", "query"), ("prose", "query"))


@of("forms")
def query_form(steps: Steps) -> Iterator[Note]:
    """Whether the message may stand in the other documented place (AMB-02)."""
    yield from _forms(steps, "message-at-", ("query", "publish"), ("prose", "publish"))


def _forms(steps: Steps, prefix: str, if_taken: tuple[str, ...], if_not: tuple[str, ...]) -> Iterator[Note]:
    for seen in steps.named(prefix) or _none(prefix):
        place = seen.asked["step"].rpartition("-")[2]
        word = "taken" if seen.ok else str(seen.status)
        text = f"a body with {place} is {'taken' if seen.ok else f'refused with {seen.status}'}"
        yield Reading(word, text, if_taken if seen.ok else if_not)


def _none(step: str) -> list[Seen]:
    raise StepMissing(step)


def _repeats(seen: Seen) -> bool:
    return seen.asked["message"] in (seen.text or "")
