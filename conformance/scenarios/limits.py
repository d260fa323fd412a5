"""Limits: the headers as they fall, then the limits used up. Those that use one up run last."""

from __future__ import annotations

from ..ask import Ask
from ..plans import first_plan
from ..scenario import PATIENCE_S, Leave, Open, Scene, Script, Wait, scenario

MOST = 400
"""More requests than this are not spent to reach a limit."""
STORY = "Tell me a long story."
"""What streams are asked for that have to last until others were opened beside them."""


@scenario("falling")
def falling(scene: Scene) -> Script:
    """A few requests in a row with one key."""
    for step in ("one", "two", "three", "four"):
        yield Ask(step)


@scenario(
    "concurrent", needs=("credentials.limited", "limits.concurrent", "agents.paced"), claim="concurrency", last=True
)
def concurrent(scene: Scene) -> Script:
    """As many open streams as the plan allows, one more, again after they were hung up, and more in a row."""
    if not scene.streams:
        return
    allowed = scene.profile.limits.concurrent or 0
    held = []
    for number in range(allowed):
        held.append((yield Open(Ask(f"held-{number + 1}", message=STORY, agent="paced", key="limited", stream=True))))
    yield Ask("beyond", agent="paced", key="limited", stream=True)
    for stream in held:
        yield Leave(stream)
    yield from _until_admitted("after-", "paced")
    for number in range(allowed + 1):
        yield from _until_admitted(f"ended-{number + 1}-")


@scenario("exhaust", needs=("credentials.limited", "limits.requests_per_minute"), last=True)
def exhaust(scene: Scene) -> Script:
    """Spend the small limit per minute, then ask for JSON and for a stream, and look at another key."""
    if "concurrency" in scene.profile.claims:
        yield from _after_others(scene)
    yield from spend(scene, scene.profile.limits.requests_per_minute or 0, "limited")
    yield Ask("refused", key="limited")
    if scene.streams:
        yield Ask("refused-stream", key="limited", stream=True)
    yield Ask("other-key", patient=False)


@scenario(
    "exhaust-day",
    needs=("credentials.daily", "limits.requests_per_day"),
    last=True,
    costs=lambda profile, dialect: (profile.limits.requests_per_day or 0) + 1,
)
def exhaust_day(scene: Scene) -> Script:
    """Spend the small limit per day, or the documented one where the profile says that the key has that."""
    limit, plan = scene.profile.limits.requests_per_day or 0, first_plan(scene.dialect)
    if limit <= MOST or (plan is not None and limit == plan.requests_per_day):
        yield from spend(scene, limit, "daily")


def _until_admitted(step: str, agent: str = "default") -> Script:
    """A stream, asked for again each second while it is refused: a place may take up to 5 s to come back."""
    for second in range(PATIENCE_S + 1):
        answer = yield Ask(f"{step}{second}", agent=agent, key="limited", stream=True)
        if answer.status != 429:
            return
        yield Wait(1)


def _after_others(scene: Scene) -> Script:
    """Where a smaller plan was spent while streams were counted, let its window end, so that it can be spent once more."""
    answer = yield Ask("knock", key="limited")
    wait = scene.stated_wait(answer) if answer.status == 429 and not scene.some_remain(answer) else None
    if wait is not None and wait + 1 <= scene.profile.deadlines.window:
        yield Wait(wait + 1)


def spend(scene: Scene, limit: int, key: str) -> Script:
    """Send until one is refused: at most twice the limit, since a window may end meanwhile (AMB-21).

    A refusal that says that some remain may be for a stream that has not quite ended, so it is waited out for a while.
    """
    for number in range(1, min(2 * limit, max(limit, MOST)) + 2):
        answer = yield Ask(f"spend-{number:03}", key=key)
        for second in range(PATIENCE_S if scene.some_remain(answer) else 0):
            yield Wait(1)
            answer = yield Ask(f"again-{number:03}-{second}", key=key)
            if answer.status != 429:
                break
        if answer.status is None or answer.status >= 400:
            return
