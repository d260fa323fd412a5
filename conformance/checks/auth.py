"""Authorization: who is turned away, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..check import Finding, Note, Steps, each, of
from ..seen import Seen
from .errors import answered, refused

SHORTEST = 6
"""A key shorter than this may stand in a body by chance."""


@of("auth", control="good")
def missing(steps: Steps) -> Iterator[Note]:
    """A request without a credential is refused."""
    yield from refused(steps["missing"], "unauthorized")


@of("auth", control="good")
def empty(steps: Steps) -> Iterator[Note]:
    """A request with an empty bearer credential is refused."""
    yield from refused(steps["empty"], "unauthorized")


@of("auth", control="good")
def unknown(steps: Steps) -> Iterator[Note]:
    """A request with a key that nobody has is refused, also when it is almost a valid one."""
    for seen in steps.named("unknown"):
        yield from refused(seen, "unauthorized")


@of("auth", control="good")
def scheme(steps: Steps) -> Iterator[Note]:
    """A valid key under another scheme than Bearer, or under none, is refused."""
    for seen in (*steps.named("scheme"), *steps.named("stream-scheme")):
        yield from refused(seen, "unauthorized")


@of("revoked", control="good")
def revoked(steps: Steps) -> Iterator[Note]:
    """A request with a revoked key is refused."""
    for seen in (steps["revoked"], *steps.named("stream-revoked")):
        yield from refused(seen, "unauthorized")


@of("auth", control="stream-good")
def stream(steps: Steps) -> Iterator[Note]:
    """A request for a stream without a valid key is refused by status and JSON, before any event."""
    for step in ("stream-missing", "stream-unknown"):
        yield from refused(steps[step], "unauthorized")


@of("auth")
def accepted(steps: Steps) -> Iterator[Note]:
    """A valid key as a bearer credential is taken."""
    yield from answered(steps["good"])


@of("auth")
def accepted_stream(steps: Steps) -> Iterator[Note]:
    """A valid key as a bearer credential is taken for a stream."""
    yield from answered(steps["stream-good"])


@each("refusals", when=lambda seen: seen.status == 401)
def challenged(seen: Seen) -> Iterator[Note]:
    """A 401 carries WWW-Authenticate (RFC 9110 11.6.1; AMB-23)."""
    if not seen.exchange.header("www-authenticate"):
        yield Finding("WWW-Authenticate with a challenge", "no such header", seen)


@each("refusals", when=lambda seen: bool(_challenge(seen)))
def challenge_scheme(seen: Seen) -> Iterator[Note]:
    """The challenge of a 401 is of the scheme Bearer (RFC 6750 3)."""
    if not re.search(r"(?:^|,)\s*bearer(?:\s|,|$)", _challenge(seen), re.IGNORECASE):
        yield Finding("WWW-Authenticate: Bearer …", f"WWW-Authenticate: {_challenge(seen)}", seen)


@each("refusals", when=lambda seen: bool(_challenge(seen)) and seen.exchange.request.header("authorization") is None)
def challenge_plain(seen: Seen) -> Iterator[Note]:
    """The challenge to a request without a key names no error (RFC 6750 3.1)."""
    if "error=" in _challenge(seen):
        yield Finding("a challenge without `error`", f"WWW-Authenticate: {_challenge(seen)}", seen)


@each("refusals", when=lambda seen: "error=" in _challenge(seen))
def challenge_error(seen: Seen) -> Iterator[Note]:
    """The challenge to a bad key, if it names an error, names invalid_token (RFC 6750 3.1)."""
    if seen.exchange.request.header("authorization") and "invalid_token" not in _challenge(seen):
        yield Finding('error="invalid_token"', f"WWW-Authenticate: {_challenge(seen)}", seen)


@each("answers")
def no_echo(seen: Seen) -> Iterator[Note]:
    """No response repeats the caller's key."""
    credential = (seen.exchange.request.header("authorization") or "").partition(" ")[2]
    if len(credential) >= SHORTEST and credential.encode() in seen.exchange.content:
        yield Finding(
            "a body without the key", "the key that was sent", seen, seen.exchange.content.find(credential.encode())
        )


def _challenge(seen: Seen) -> str:
    """All challenges of a 401 as one list (RFC 9110 11.6.1)."""
    return ", ".join(seen.exchange.headers_named("www-authenticate")).strip() if seen.status == 401 else ""
