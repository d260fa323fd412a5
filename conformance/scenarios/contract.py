"""Bodies that nobody thought of: generated from the OpenAPI document, valid ones and invalid ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...spec import Dialect, Operation
from ..ask import Ask
from ..bodies import Body, settle
from ..contract import Mode, cases
from ..reading import MISSING, at
from ..scenario import Scene, Script, scenario
from ..seen import Seen

EACH = 12
"""So many valid bodies, and so many invalid ones, for an operation that answers with JSON."""
EACH_STREAMED = 4
PATIENCE = 3
"""After so many refusals for a spent limit in a row, each waited out once already, the rest would say no more."""
MODES: tuple[Mode, ...] = ("positive", "negative")


@scenario("contract", imports=("schemathesis",))
def contract(scene: Scene) -> Script:
    """A good request, then the generated ones of every chat operation; none of them where even the good one is refused."""
    good = yield Ask("good")
    if not Seen(good, scene.dialect, scene.profile).ok:
        return
    session = scene.session() if scene.chooses else scene.session_of(good)
    spent = 0
    for ask in list(_asks(scene, session)):
        answer = yield ask
        spent = spent + 1 if answer.status == 429 else 0
        if spent == PATIENCE:
            return


def _asks(scene: Scene, session: str | None) -> Iterator[Ask]:
    for operation in scene.dialect.operations:
        if operation.mode == "keys":
            continue
        count = EACH_STREAMED if operation.mode == "stream" else EACH
        values = _values(scene, operation, session)
        for mode in MODES:
            for number, body in enumerate(cases(scene.dialect, operation.id, mode, count, scene.seed), 1):
                step = f"{mode}-{operation.id}-{number:02}"
                body = settle(body, scene.dialect, values)
                yield _ask(step, operation, body, scene.dialect, valid=mode == "positive")


def _values(scene: Scene, operation: Operation, session: str | None) -> dict[str, Any]:
    """What stands in every body: an agent that can answer, a session that can be used, no stream where that can be said."""
    values: dict[str, Any] = {"agent": scene.profile.agents.get("default", "default")}
    if session is not None:
        values["session"] = session
    if operation.mode == "switched" and not scene.dialect.request.switch.ruling:
        values["stream"] = False
    return values


def _ask(step: str, operation: Operation, body: Body, dialect: Dialect, *, valid: bool) -> Ask:
    """The request of that body. Its session is noted for valid ones alone: a reply to an invalid one owes nobody an echo."""
    said = {role: at(body, pointers[:1]) for role, pointers in dialect.request.chat.items()}
    message, session = (said.get(role, MISSING) for role in ("message", "session"))
    return Ask(
        step,
        message=None if message is MISSING else message,
        session=session if valid and isinstance(session, str) else None,
        stream=operation.mode == "stream",
        operation=operation.id,
        valid=valid,
        body=body if isinstance(body, bytes) else json.dumps(body).encode("ascii"),
    )
