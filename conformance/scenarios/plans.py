"""The second documented plan, spent whole. It is larger than the first, so this comes last of all."""

from __future__ import annotations

from ...spec import Dialect
from ..ask import Ask
from ..plans import second_plan
from ..scenario import Open, Scene, Script, scenario
from .limits import STORY, spend

KEY = "pro"


def _streams(dialect: Dialect) -> int:
    plan = second_plan(dialect)
    return (plan.concurrent or 0) if plan is not None and dialect.stream else 0


def _requests(dialect: Dialect) -> int:
    plan = second_plan(dialect)
    return (plan.requests_per_minute or 0) if plan is not None else 0


def _one_more(count: int) -> int:
    return count + 1 if count else 0


@scenario(
    "concurrent-pro",
    needs=("credentials.pro", "agents.paced"),
    claim="concurrency",
    last=True,
    costs=lambda profile, dialect: _one_more(_streams(dialect)),
)
def concurrent_pro(scene: Scene) -> Script:
    """As many open streams as the second plan allows, and one more."""
    allowed = _streams(scene.dialect)
    for number in range(allowed):
        yield Open(Ask(f"held-{number + 1}", message=STORY, agent="paced", key=KEY, stream=True))
    if allowed:
        yield Ask("beyond", agent="paced", key=KEY, stream=True)


@scenario(
    "exhaust-pro",
    needs=("credentials.pro",),
    last=True,
    costs=lambda profile, dialect: _one_more(_requests(dialect)),
)
def exhaust_pro(scene: Scene) -> Script:
    """Spend the second plan's requests per minute."""
    if limit := _requests(scene.dialect):
        yield from spend(scene, limit, KEY)
