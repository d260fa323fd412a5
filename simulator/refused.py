"""How a refusal is told: its body, what HTTP wants beside the status, and where the caller's plan stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from . import population
from .limits import Limiter, Standing
from .refusals import Case
from .reply import Headers, Refusal, Reply
from .request import Mistake, bearer

NOTE = "X-Chatproof-Note"
"""The header in which this backend says what no document has words for."""


def refused(case: Case, refusal: Refusal, log: str = "") -> Reply:
    """The reply that tells a refusal, in the dialect's words unless it has its own. ``log``: more for the log than for the client."""
    dialect = case.route.dialect
    row = dialect.errors[refusal.name]
    mistake = refusal.mistake or Mistake("", "", "")
    template, told = row.message, refusal.retry_after
    if refusal.name == "rate_limited" and case.rules.readings.retry_after in ("header", "none"):
        template, told = _without_wait(template), None
    message = template.format(
        field=mistake.field,
        Field=mistake.field.capitalize(),
        problem=mistake.problem,
        kind=mistake.kind,
        agent=refusal.agent,
        retry_after=refusal.retry_after,
    )
    fields: dict[str, Any] = {
        "message": message if refusal.words is None else refusal.words,
        "code": row.code,
        "kind": mistake.kind,
        "location": list(mistake.location),
        "details": {},
        **({} if told is None and refusal.retry_after is not None else {"retry_after": told}),
    }
    note = ((NOTE, _one_line(refusal.note)),) if refusal.note else ()
    headers = (*_explained(case, refusal, row.status), *limit_headers(case), *note)
    said = f"{refusal.known_as}  {log}" if log else refusal.known_as
    return Reply(dialect, row.status, row.shape, fields, headers=headers, refusal=refusal, said=said)


def limit_headers(case: Case) -> Headers:
    """Where the caller's plan stands; for callers without a key, the first plan (AMB-11)."""
    readings = case.rules.readings
    standing: Standing | None
    if case.limiter is not None:
        standing = case.limiter.standing(case.now)
    elif readings.limits_told_to_all:
        standing = Limiter(population.first_plan(case.route.dialect), readings.window).standing(case.now)
    else:
        standing = None
    if standing is None:
        return ()
    names = case.route.dialect.limits
    return (
        (names.limit, str(standing.limit)),
        (names.remaining, str(standing.remaining)),
        (names.reset, str(RESETS[readings.reset_in](standing))),
    )


RESETS: dict[str, Callable[[Standing], int]] = {
    "epoch": lambda standing: standing.reset,
    "delta": lambda standing: standing.reset_in,
    "milliseconds": lambda standing: standing.reset * 1000,
}
"""How the second of the reset is told, by the names of AMB-16's readings."""


def _explained(case: Case, refusal: Refusal, status: int) -> Headers:
    """What HTTP wants beside a status: a challenge (RFC 6750, 3), the methods allowed, how long to wait."""
    readings = case.rules.readings
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.METHOD_NOT_ALLOWED) and not readings.web_headers:
        return ()
    if status == HTTPStatus.UNAUTHORIZED:
        bad = bearer(case.request.headers) is not None
        return (("WWW-Authenticate", 'Bearer error="invalid_token"' if bad else "Bearer"),)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return (("Allow", ", ".join(case.route.allow)),)
    hidden = refusal.name == "rate_limited" and (
        readings.retry_after == "none" or (readings.retry_after == "body" and _waits_in_body(case))
    )
    if refusal.retry_after is not None and not hidden:
        return ((case.route.dialect.limits.retry_after, str(refusal.retry_after)),)
    return ()


def _waits_in_body(case: Case) -> bool:
    return "retry_after" in case.route.dialect.errors["rate_limited"].shape.roles


def _without_wait(template: str) -> str:
    """A message without the sentences that name the wait."""
    return " ".join(part for part in re.split(r"(?<=\.) ", template) if "{retry_after}" not in part)


def _one_line(text: str) -> str:
    """Any text as the value of a header (RFC 9110, 5.5)."""
    return "".join(char if " " <= char <= "~" else char.encode("unicode_escape").decode() for char in text)[:2000]
