"""Every kind of window, alone and behind a plan; and plans by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproof.simulator.limits import DAY_S, UNLIMITED, Limiter, Standing
from chatproof.simulator.plans import figures, plan, plan_names
from chatproof.simulator.windows import KINDS, PARTS
from chatproof.spec import Plan, dialect, names, presets

from .conftest import Desk
from .scripted import checked, told

NOW = 1_000.25
SIX = Plan("p", requests_per_minute=6)
MINUTE_S = 60


def spend(limiter: Limiter, *times: float) -> list[int | None]:
    """Ask at these times; whoever may is counted. The waits that were told."""
    waits = []
    for now in times:
        wait = limiter.retry_after(now)
        waits.append(wait)
        if wait is None:
            limiter.take(now)
    return waits


def test_a_fixed_window_ends_a_minute_after_the_request_that_opened_it() -> None:
    window = KINDS["fixed"](MINUTE_S, 2)
    assert window.ends(NOW) == NOW + 60, "none is open"
    window.take(NOW)
    assert [window.ends(now) for now in (NOW, NOW + 20, NOW + 59.5)] == [NOW + 60] * 3
    assert [window.left(now) for now in (NOW + 59.5, NOW + 60)] == [1, 2]
    assert window.ends(NOW + 60) == NOW + 120


def test_a_window_aligned_to_the_clock_ends_with_the_minute_and_the_day() -> None:
    limiter = Limiter(Plan("p", requests_per_minute=2, requests_per_day=3), "aligned")
    assert spend(limiter, NOW, NOW + 1, NOW + 2) == [None, None, 18], "1020 is the next whole minute"
    assert limiter.standing(NOW + 2) == Standing(2, 0, 1020, 18)
    assert spend(limiter, 1020.0, 1020.0) == [None, DAY_S - 1020]
    assert limiter.retry_after(DAY_S) is None


def test_a_sliding_window_lets_one_in_for_each_that_leaves() -> None:
    limiter = Limiter(SIX, "sliding")
    assert spend(limiter, *(NOW + 5 * n for n in range(6))) == [None] * 6
    assert limiter.standing(NOW + 30) == Standing(6, 0, 1061, 30)
    assert limiter.retry_after(NOW + 30) == 30
    assert spend(limiter, NOW + 60, NOW + 60, NOW + 65) == [None, 5, None]
    assert limiter.standing(NOW + 66) == Standing(6, 0, 1071, 4)


def test_a_bucket_refills_evenly() -> None:
    limiter = Limiter(SIX, "bucket")
    assert spend(limiter, *[NOW] * 7) == [None] * 6 + [10]
    assert limiter.standing(NOW) == Standing(6, 0, 1011, 10)
    assert spend(limiter, NOW + 9.9, NOW + 10, NOW + 10, NOW + 35) == [1, None, 10, None]
    assert limiter.standing(NOW + 35) == Standing(6, 1, 1041, 5)
    assert limiter.standing(NOW + 999) == Standing(6, 6, 2060, 60)


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_that_nobody_is_held_to_is_counted_and_never_reached(kind: str) -> None:
    limiter = Limiter(Plan("p", requests_per_minute=1, concurrent=1), kind, held_to=False)
    assert spend(limiter, *[NOW] * 9) == [None] * 9
    standing = limiter.standing(NOW)
    assert standing is not None
    assert standing.limit - standing.remaining == 9
    assert standing.limit == UNLIMITED.requests_per_minute


@pytest.mark.parametrize("kind", KINDS)
@given(gaps=st.lists(st.floats(0, 40), max_size=60), allowance=st.integers(1, 7))
def test_what_every_kind_keeps(kind: str, gaps: list[float], allowance: int) -> None:
    """What remains is told rightly, waiting as long as told is enough, and no kind ever admits twice the limit in a window."""
    limiter, now, admitted = Limiter(Plan("p", requests_per_minute=allowance), kind), NOW, []
    for gap in gaps:
        now += gap
        wait, standing = limiter.retry_after(now), limiter.standing(now)
        assert standing is not None
        assert (standing.remaining == 0) == (wait is not None)
        assert 0 <= standing.remaining <= allowance
        assert now <= standing.reset <= now + MINUTE_S + 1
        if wait is None:
            limiter.take(now)
            admitted.append(now)
        else:
            assert wait <= MINUTE_S + 1, "rounded up"
            now += wait
            assert limiter.retry_after(now) is None
    bound = allowance if kind == "sliding" else 2 * allowance
    assert all(sum(at <= other < at + MINUTE_S for other in admitted) <= bound for at in admitted)


def test_a_sliding_window_keeps_no_more_than_its_parts() -> None:
    window: Any = KINDS["sliding"](MINUTE_S, 1_000_000)
    for number in range(20_000):
        window.take(NOW + number / 100)
    assert len(window._parts) <= PARTS + 1
    assert window.left(NOW + 199.99) == pytest.approx(1_000_000 - 6_000, abs=11)


def test_plans_are_the_documents_where_they_have_figures_and_ours_elsewhere() -> None:
    guide, rest, reference = dialect("guide"), dialect("rest"), dialect("reference")
    assert (plan(guide, "Pro"), plan(rest, "Pro")) == (guide.plans["Pro"], rest.plans["Pro"])
    assert plan(reference, "Pro") == presets()["Pro"]
    assert guide.plans["Enterprise"] == Plan("Enterprise"), "the document has no figures"
    assert plan(guide, "Enterprise") == presets()["Enterprise"]
    assert figures(plan(rest, "Free")) == "20 a minute, 1,000 a day"
    assert plan_names(rest) == ["Free", "Pro", "Enterprise"]
    with pytest.raises(ValueError, match=r"no plan 'Fre' [(]did you mean 'Free'"):
        plan(rest, "Fre")


@pytest.mark.parametrize("name", names())
def test_a_key_on_each_plan_in_a_script(name: str, desk_of: Callable[..., Desk]) -> None:
    text = "script: 1\nkeys: {f: {plan: Free}, p: {plan: Pro}, e: {plan: Enterprise}}\nagents: {a: {turns: {s: [{else: {say: x}}]}}}\n"
    found = checked(text)
    desk = desk_of(name, script=found.script)
    limits = [desk.chat(name, key=key).headers["x-ratelimit-limit"] for key in "fpe"]
    assert limits == [str(plan(dialect(name), one).requests_per_minute) for one in ("Free", "Pro", "Enterprise")]
    assert told(found)[:1] == [
        "2:18 warning: no document of reference and slug has a plan 'Free': there it is chatproof's own, 20 a minute, 2 at once"
    ]


def test_no_limits(desk_of: Callable[..., Desk]) -> None:
    """Nobody waits, nobody pays, and the headers count on in a plan that nobody can use up."""
    desk = desk_of(limits=False)
    for name in names():
        for key in ("key-limited", "key-brief", "key-daily", "key-broke", "key-metered"):
            said = [desk.chat(name, "many words " * 50, key=key, hold=True) for _ in range(30)]
            assert {one.status for one in said} == {200}
            left = [int(one.headers["x-ratelimit-remaining"]) for one in said]
            assert left == list(range(left[0], left[0] - 30, -1))
            assert left[0] == int(said[0].headers["x-ratelimit-limit"]) - 1
    assert desk.chat("guide", key="key-revoked").status == 401
    desk.backend.rule({"AMB-25": "refused"})
    first = desk.chat("guide", agent="slow", session="s", hold=True)
    assert (first.status, desk.chat("guide", agent="slow", session="s").status) == (200, 429), "that was asked for"


def test_limits_are_off_in_scopes_too(desk_of: Callable[..., Desk]) -> None:
    twin = desk_of("guide", limits=False).backend.twin()
    desk = Desk(twin)
    assert desk.chat("guide", key="key-broke").status == 200
    assert json.dumps(twin.start_rulings) == "{}"
