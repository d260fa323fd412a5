"""Errors: the documented status for each mistake, and the dialect's body for each status."""

from __future__ import annotations

from collections.abc import Iterator

from ...spec import ErrorRow
from ..check import Finding, Note, Reading, Steps, Unclear, Unverified, each, of
from ..reading import MISSING, at
from ..schema import body_violations, documented
from ..seen import Seen

ODDITIES = (
    *("empty-message", "long-message", "nul", "emoji", "unknown-field", "long-message-streamed", "nul-streamed"),
    *("session-empty", "session-long", "session-odd"),
)
"""Steps with input that is valid and unusual."""


LIMITED, UNAVAILABLE = 429, 503


def refused(seen: Seen, refusal: str) -> Iterator[Note]:
    """A finding unless ``seen`` has a status that the dialect's row for ``refusal`` takes."""
    row = seen.dialect.errors[refusal]
    if seen.status not in row.accept:
        wanted = " or ".join(map(str, row.accept))
        got = f"status {seen.status}" if seen.status else f"no response ({seen.exchange.end.value})"
        yield Finding(f"status {wanted}", f"{got}: {seen.exchange.content[:120]!r}", seen)


def answered(seen: Seen) -> Iterator[Note]:
    """A finding unless a request that is as documented was answered with success."""
    if seen.status == UNAVAILABLE:
        yield Unclear("the target was unavailable just then (status 503)")
    elif not seen.ok:
        got = f"status {seen.status}" if seen.status else f"no response ({seen.exchange.end.value})"
        yield Finding("an answer", f"{got}: {seen.exchange.content[:160]!r}", seen)


INVALID = {
    "missing_message": (("missing-message",), "A body without the message is refused."),
    "missing_agent": (("missing-agent",), "A body without the agent is refused."),
    "stream_missing_message": (("stream-missing-message",), "A request for a stream without the message is refused."),
    "stream_missing_agent": (("stream-missing-agent",), "A request for a stream without the agent is refused."),
    "message_type": (("number-message", "null-message"), "A message that is no text is refused."),
    "agent_type": (("number-agent", "null-agent"), "An agent that is no text is refused."),
    "session_type": (("session-number",), "A session that is no text is refused."),
    "stream_type": (("stream-text",), "A stream switch that is no boolean is refused."),
    "metadata_type": (("metadata-text",), "Context that is no object is refused."),
    "malformed": (("malformed", "array", "empty-body"), "A body that is no JSON object is refused."),
}
"""Check -> the steps of the scenario `invalid` that must be refused."""


def _register_invalid(name: str, wanted: tuple[str, ...], statement: str) -> None:
    def judge(steps: Steps) -> Iterator[Note]:
        for step in wanted:
            yield from refused(steps[step], "invalid_request")

    judge.__doc__ = statement
    of("invalid", name=name, control="good")(judge)


for _name, (_steps, _statement) in INVALID.items():
    _register_invalid(_name, _steps, _statement)


@of("invalid", control="good")
def invalid_status(steps: Steps) -> Iterator[Note]:
    """Which status an invalid body is refused with, where two are in question (AMB-08)."""
    statuses = sorted({seen.status for seen in steps.named("missing-") if not seen.ok})
    if not statuses:
        yield Unverified("nothing was refused")
    else:
        named = " and ".join(map(str, statuses))
        yield Reading("/".join(map(str, statuses)), f"an invalid body is refused with {named}")


@of("agent", control="good")
def unknown_agent(steps: Steps) -> Iterator[Note]:
    """A request to an agent that does not exist is refused."""
    yield from refused(steps["unknown"], "agent_not_found")


@of("agent", control="good")
def stream_unknown_agent(steps: Steps) -> Iterator[Note]:
    """A request for a stream of an agent that does not exist is refused by status, before any event."""
    yield from refused(steps["stream-unknown"], "agent_not_found")


@of("balance", control="good")
def balance(steps: Steps) -> Iterator[Note]:
    """A key without balance is refused."""
    yield from refused(steps["broke"], "insufficient_balance")


@of("balance", control="good")
def stream_balance(steps: Steps) -> Iterator[Note]:
    """A stream for a key without balance is refused by status, before any event."""
    yield from refused(steps["stream-broke"], "insufficient_balance")


@of("failing", control="good")
def failing(steps: Steps) -> Iterator[Note]:
    """An agent that fails before its reply began is told by status 500."""
    yield from _of_agent(steps["json"], "internal_error")


@of("unavailable", control="good")
def unavailable(steps: Steps) -> Iterator[Note]:
    """An agent that cannot be reached for the moment is told by status 503."""
    yield from _of_agent(steps["json"], "unavailable")


def _of_agent(seen: Seen, refusal: str) -> Iterator[Note]:
    """``refused``, unless the key does not open that agent, as far as it says."""
    if seen.status in (401, 403, 404):
        yield Unclear(f"the key credentials.valid does not open agents.{seen.asked['agent']} (status {seen.status})")
    else:
        yield from refused(seen, refusal)


@each("refusals", when=lambda seen: seen.for_the_api and _row(seen) is not None)
def content_type(seen: Seen) -> Iterator[Note]:
    """An error's body is application/json."""
    if seen.exchange.request.method != "HEAD" and seen.exchange.content_type != "application/json":
        got = seen.exchange.header("content-type")
        yield Finding("Content-Type: application/json", f"{got or 'no Content-Type'} (status {seen.status})", seen)


@each("refusals", legible=True, when=lambda seen: seen.status == 422 and seen.for_the_api)
def body_422(seen: Seen) -> Iterator[Note]:
    """The body of a 422 is the documented list of what is wrong where (AMB-08)."""
    for violation in body_violations(seen):
        yield Finding("the documented list", f"{violation} in {seen.exchange.content[:160]!r}", seen)


def _register_code(name: str, refusal: str) -> None:
    def judge(seen: Seen) -> Iterator[Note]:
        wanted, got = seen.dialect.errors[refusal].code, seen.refusal().get("code")
        if got != wanted:
            yield Finding(f"the code {wanted!r}", f"{got!r:.80} (status {seen.status})", seen)

    judge.__doc__ = f"The code of the refusal {refusal.replace('_', ' ')} is the documented one."
    each("refusals", name=name, legible=True, when=lambda seen: _is_about(seen, refusal))(judge)


CODES = {
    "code_invalid": "invalid_request",
    "code_unauthorized": "unauthorized",
    "code_agent": "agent_not_found",
    "code_limited": "rate_limited",
    "code_internal": "internal_error",
}
for _name, _refusal in CODES.items():
    _register_code(_name, _refusal)


@each("refusals", legible=True, when=lambda seen: _documented(seen))
def message(seen: Seen) -> Iterator[Note]:
    """A refusal says what is wrong, in its documented place."""
    row = _row(seen)
    places = [pointer for row in seen.dialect.errors.values() for pointer in row.shape.roles["message"]]
    texts = (at(seen.json, (pointer,)) for pointer in dict.fromkeys(places))
    if row is not None and not any(isinstance(text, str) and text for text in texts):
        place = row.shape.roles["message"][0]
        yield Finding(f"text at {place}", f"{seen.exchange.content[:160]!r} (status {seen.status})", seen)


@each("refusals", legible=True, when=lambda seen: _documented(seen))
def constants(seen: Seen) -> Iterator[Note]:
    """The places that are the same in every refusal are so: an envelope holds data or an error, never both."""
    row = _row(seen)
    for pointer, wanted in (row.shape.constants if row else {}).items():
        got = at(seen.json, (pointer,))
        if got is MISSING or got != wanted:
            yield Finding(f"{wanted!r} at {pointer}", "nothing there" if got is MISSING else f"{got!r:.120}", seen)


@each("refusals", legible=True, when=lambda seen: _documented(seen))
def details(seen: Seen) -> Iterator[Note]:
    """The details of a refusal are an object."""
    if not isinstance(seen.refusal().get("details"), dict):
        yield Finding("an object of details", f"{seen.refusal().get('details')!r:.80} (status {seen.status})", seen)


def _register_undocumented(name: str, status: int) -> None:
    def judge(seen: Seen) -> Iterator[Note]:
        same = at(seen.json, seen.dialect.errors["unauthorized"].shape.roles["message"]) is not MISSING
        text = "has the shape of the documented ones" if same else "has a shape of its own"
        yield Reading("same" if same else "own", f"the body of a {status} {text}")

    judge.__doc__ = f"Whether the body of a {status}, which nobody documents, has the shape of the others (AMB-17)."
    each("refusals", name=name, when=lambda seen: seen.for_the_api and seen.status == status)(judge)


_register_undocumented("shape_of_429", 429)
_register_undocumented("shape_of_500", 500)


@each("refusals", legible=True, when=lambda seen: _documented(seen))
def code_place(seen: Seen) -> Iterator[Note]:
    """Where in the body of a refusal its code stands (AMB-10)."""
    row = _row(seen)
    for pointer in row.shape.roles.get("code", ()) if row else ():
        if isinstance(at(seen.json, (pointer,)), str):
            yield Reading(pointer, f"the code of a refusal stands at {pointer}")
            return


@of("invalid", control="good")
def names_field(steps: Steps) -> Iterator[Note]:
    """The refusal of a body without the message names that field."""
    seen = steps["missing-message"]
    field = seen.dialect.request.chat["message"][0].rpartition("/")[2]
    if field not in seen.exchange.content.decode("utf-8", "replace").lower():
        yield Finding(f"{field!r} in the refusal", f"{seen.exchange.content[:160]!r}", seen)


@of("agent", control="good", reads=("unknown",))
def names_agent(steps: Steps) -> Iterator[Note]:
    """The refusal of an agent that does not exist names it."""
    seen = steps["unknown"]
    name = seen.asked["agent"]
    if name not in str(seen.refusal().get("message", "")):
        yield Finding(f"{name!r} in the refusal", f"{seen.exchange.content[:160]!r}", seen)


@each("requests", when=lambda seen: not seen.asked["valid"] or seen.asked["step"] in ODDITIES)
def never_breaks(seen: Seen) -> Iterator[Note]:
    """Odd or wrong input is taken or refused; it never ends in a server error, a hang or a broken connection (AMB-20)."""
    if seen.status >= 500 or not seen.exchange.reads:
        got = f"status {seen.status}" if seen.status else seen.exchange.end.value
        yield Finding("an answer or a refusal", f"{got} to {seen.asked['step']}", seen)


ODD = {
    "empty_message": ("empty-message", "an empty message"),
    "other_media_type": ("content-type", "a body declared as text/plain"),
    "surrogate": ("surrogate", "a message with half of a surrogate pair"),
    "huge_body": ("huge", "a body of three megabytes"),
}
"""Check -> the step of the scenario `odd`, and what it sends; either way of taking it is right (AMB-20)."""


def _register_odd(name: str, step: str, called: str) -> None:
    def judge(steps: Steps) -> Iterator[Note]:
        seen = steps[step]
        if seen.status >= 500 or not seen.status:
            yield Unclear(f"{called} broke the server")
        else:
            text = f"{called} is {'taken' if seen.ok else f'refused with {seen.status}'}"
            yield Reading(str(seen.status), text, ("taken",) if seen.ok else ("refused",))

    judge.__doc__ = f"What {called} is met with (AMB-20)."
    of("odd", name=name, control="good")(judge)


for _name, (_step, _called) in ODD.items():
    _register_odd(_name, _step, _called)


def _is_about(seen: Seen, refusal: str) -> bool:
    """Whether a refusal is of that kind, by its status and by what was asked for: a wrong status is a matter of other checks.

    A key of another agent may be refused like an unknown one (AMB-22), and a session that does not live like an unknown agent
    (AMB-09), so nothing is expected of those.
    """
    if refusal == "agent_not_found" and _provoked(seen) is None:
        return False
    taken = seen.status in seen.dialect.errors[refusal].accept
    return taken and seen.for_the_api and _provoked(seen) in (refusal, None) and seen.asked.get("key") != "other_agent"


def _provoked(seen: Seen) -> str | None:
    """The refusal that a request was sent for, as far as the request itself shows it."""
    if seen.asked.get("key") in (None, "revoked"):
        return "unauthorized"
    if seen.status == LIMITED:
        return None
    if not seen.asked["valid"]:
        return "invalid_request"
    return None if seen.asked["agent"] in seen.profile.agents else "agent_not_found"


def _row(seen: Seen) -> ErrorRow | None:
    """The documented row that this refusal belongs to, unless its body rests on a ruling alone."""
    promised = (row for row in seen.dialect.errors.values() if row.documented and row.ruling is None)
    rows = (row for row in promised if seen.status in row.accept)
    return next(rows, None)


def _documented(seen: Seen) -> bool:
    return seen.for_the_api and _row(seen) is not None and documented(seen)
