"""Keys made for an agent through the API."""

from __future__ import annotations

from collections.abc import Iterator

from ..check import Finding, Note, Reading, Steps, Unclear, Unverified, of
from ..schema import body_violations
from .errors import LIMITED, answered, refused


@of("keys")
def created(steps: Steps) -> Iterator[Note]:
    """An account's credential makes a key for its agent."""
    yield from answered(steps["create"])


@of("keys", control="create", reads=("create",))
def reply(steps: Steps) -> Iterator[Note]:
    """The answer to key creation has the documented fields, with the documented types of values."""
    for problem in body_violations(steps["create"]):
        yield Finding("the reply to key creation as documented", problem, steps["create"])


@of("keys", control="create", reads=("create",))
def id(steps: Steps) -> Iterator[Note]:
    """The id of a new key is a whole number."""
    value = steps["create"].key_roles.get("id")
    if isinstance(value, bool) or not isinstance(value, int):
        yield Finding("a whole number as the key's id", f"{value!r:.80}", steps["create"])


@of("keys", control="create", reads=("create",))
def key(steps: Steps) -> Iterator[Note]:
    """A new key is text that is not empty."""
    value = steps["create"].key_roles.get("key")
    if not isinstance(value, str) or not value:
        yield Finding("a key", f"{value!r:.80}", steps["create"])


@of("keys", control="create", reads=("create",))
def prefix(steps: Steps) -> Iterator[Note]:
    """A new key begins as the printed one does."""
    value = str(steps["create"].key_roles.get("key"))
    if not value.startswith("ak_"):
        yield Finding("a key that begins with ak_", f"one that begins with {value[:3]!r}", steps["create"])


@of("keys", control="create", reads=("create",))
def agent(steps: Steps) -> Iterator[Note]:
    """The answer names the agent that the key was made for."""
    yield from _is(steps, "agent", steps["create"].profile.agents["default"])


@of("keys", control="create", reads=("create",))
def name(steps: Steps) -> Iterator[Note]:
    """The answer repeats the name that was asked for."""
    yield from _is(steps, "name", steps["create"].asked["message"])


@of("keys", control="create", reads=("create",))
def distinct(steps: Steps) -> Iterator[Note]:
    """Two creations make two different keys with different ids."""
    first, second = steps["create"].key_roles, steps["create-again"].key_roles
    for role in ("id", "key"):
        if role in first and first.get(role) == second.get(role):
            yield Finding(f"another {role} than before", "the same again", steps["create-again"])


@of("keys", control="create")
def unauthorized(steps: Steps) -> Iterator[Note]:
    """Without a valid credential no key is made."""
    yield from refused(steps["create-missing"], "unauthorized")
    yield from refused(steps["create-unknown"], "unauthorized")


@of("keys", control="create")
def unknown_agent(steps: Steps) -> Iterator[Note]:
    """No key is made for an agent that does not exist."""
    yield from refused(steps["create-nowhere"], "agent_not_found")


@of("keys", control="create")
def works(steps: Steps) -> Iterator[Note]:
    """The key that was made opens its agent at once."""
    yield from answered(steps["use"])


@of("keys", control="use")
def bound(steps: Steps) -> Iterator[Note]:
    """The key that was made is refused at another agent (AMB-22)."""
    if not steps.named("use-other"):
        yield Unverified("needs agents.other in the profile")
    else:
        yield from refused(steps["use-other"], "wrong_agent")


@of("keys", control="use")
def account_only(steps: Steps) -> Iterator[Note]:
    """Whether a key that was made for an agent makes further keys (AMB-26)."""
    seen = steps["create-by-agent-key"]
    if seen.ok:
        yield Reading("made", "a key made for an agent makes further keys")
    elif not seen.status or seen.status >= 500 or seen.status == LIMITED:
        yield Unclear(f"the creation was answered {seen.status or seen.exchange.end.value}")
    else:
        yield Reading(
            "refused", f"a key made for an agent is refused with {seen.status} when it is to make further keys"
        )


@of("other-agent", control="good")
def other_agent(steps: Steps) -> Iterator[Note]:
    """A key that was made for another agent is refused (AMB-22)."""
    yield from refused(steps["other"], "wrong_agent")


@of("other-agent", control="good")
def other_agent_status(steps: Steps) -> Iterator[Note]:
    """The status that a key of another agent is refused with (AMB-22)."""
    seen = steps["other"]
    if seen.ok:
        yield Unclear("it was not refused")
    else:
        yield Reading(str(seen.status), f"a key of another agent is refused with {seen.status}")


def _is(steps: Steps, role: str, wanted: str) -> Iterator[Note]:
    got = steps["create"].key_roles.get(role)
    if got != wanted:
        yield Finding(f"{role} {wanted!r}", f"{got!r:.80}", steps["create"])
