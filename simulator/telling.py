"""What the journal is told of a request: as the backend understood it, and how an agent failed."""

from __future__ import annotations

import traceback

from .agents import Answer, Turn
from .armed import Strike
from .plan import About
from .realm import Realm
from .refusals import Case
from .reply import Reply
from .request import Asked, bearer


def about(case: Case, reply: Reply, strike: Strike, variant: str | None) -> About:
    """What the request was about. ``variant``: the legal way in which the backend answers."""
    refused = reply.refusal.known_as if reply.refusal else None
    operation = case.route.operation
    known = operation is not None and refused != "too_large"
    return About(
        case.route.dialect.name,
        operation.id if operation else "",
        (case.agent or case.agent_asked) if known else "",
        case.session_id or (case.asked.session if known and isinstance(case.asked, Asked) else None),
        bearer(case.request.headers),
        reply.fields.get("key"),
        reply.streamed,
        refused,
        strike.names if strike.armed else (),
        variant,
        (*strike.yielded, *case.warnings),
        case.error,
        case.trial,
        case.unmatched,
    )


def heard(case: Case, agent: str, turn: Turn) -> Answer:
    """What the agent says; one that raises has an internal error, which the journal tells."""
    answer, case.error = answer_of(case.realm, agent, turn)
    return answer


def answer_of(realm: Realm, agent: str, turn: Turn) -> tuple[Answer, str]:
    """The same, and the traceback of one that raises."""
    try:
        return realm.answer(agent, turn), ""
    except Exception:  # noqa: BLE001  (it may be anybody's function)
        return Answer(refusal="internal_error"), traceback.format_exc()
