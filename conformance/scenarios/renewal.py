"""What happens when a window ends: the key is served again, and what it said in between was never heard."""

from __future__ import annotations

from collections.abc import Generator

from ..advertised import heard_at
from ..ask import Ask
from ..exchange import Exchange
from ..plans import brief_key, window_s
from ..scenario import Scene, Script, Step, Wait, scenario
from .limits import MOST

MARGIN_S = 1.0
"""A wait is told in whole seconds, so one second more is given."""
LEAST_STATED_S = 2.0
"""A wait below this, rounded up, may leave no moment that lies well before its end."""


@scenario(
    "renewal",
    needs=(
        "credentials.brief or credentials.limited",
        "limits.brief_requests or limits.requests_per_minute",
        "deadlines.window",
    ),
    last=True,
)
def renewal(scene: Scene) -> Script:
    """Spend a window, ask well before the stated wait is over and again after it, and ask what the agent was told.

    With ``credentials.limited`` alone its window may be spent already; then something is told afterwards, to see that the agent
    recalls at all.
    """
    key, limit = brief_key(scene.profile)
    session = scene.session() if scene.chooses else None
    answered = False
    for number in range(1, min(2 * limit, MOST) + 2):
        answer = yield Ask(f"tell-{number:03}", message=scene.tell(), session=session, key=key)
        if answer.status == 429:
            break
        if answer.status != 200:
            return
        answered, session = True, session or scene.session_of(answer)
    else:
        return
    if not (yield from _wait(scene, answer, key)):
        return
    late = yield Ask("late", message=scene.profile.recall.ask, session=session, key=key)
    if late.status == 200 and not answered:
        yield Ask("again-tell", message=scene.tell(), session=session, key=key)
        yield Ask("again-ask", message=scene.profile.recall.ask, session=session, key=key)
    if late.status == 200 and not scene.dialect.plans:
        yield from _count(scene, key, limit, 1 if answered else 3)


def _count(scene: Scene, key: str, limit: int, admitted: int) -> Script:
    """Where no headers are documented, count how many are answered in a window; again if there were too many.

    A window may end while they are counted, but hardly twice in a row.
    """
    for name in ("count", "recount"):
        for number in range(1, min(2 * limit, MOST) + 2):
            answer = yield Ask(f"{name}-{number:03}", key=key)
            if answer.status is None or answer.status >= 400:
                break
            admitted += 1
        wait = window_s(scene.profile, key) + MARGIN_S
        if admitted <= limit or wait > scene.profile.deadlines.window:
            return
        yield Wait(wait)
        admitted = 0


def _wait(scene: Scene, refused: Exchange, key: str) -> Generator[Step, Exchange, bool]:
    """Let the wait pass that a refusal names, or a whole window where it names none; ``False`` if it is too long.

    A request sent in between may be told to wait longer, since a target may count refused requests as well; that holds then.
    None is sent where requests are counted afterwards.
    """
    begun, stated = heard_at(refused), scene.stated_wait(refused)
    until = begun + (window_s(scene.profile, key) if stated is None else stated)
    latest = refused
    asks_soon = bool(scene.dialect.plans) and until - begun >= LEAST_STATED_S
    if asks_soon and until + MARGIN_S - begun <= scene.profile.deadlines.window:
        yield Wait((until - begun - 1) / 2)
        latest = yield Ask("soon", key=key)
        stated = scene.stated_wait(latest) if latest.status == 429 else None
        until = until if stated is None else heard_at(latest) + stated
    if until + MARGIN_S - begun > scene.profile.deadlines.window:
        return False
    yield Wait(max(until - heard_at(latest), 0.0) + MARGIN_S)
    return True
