"""Windows, the gauge, sessions and ids, each alone."""

from __future__ import annotations

import math

from chatproof.simulator.ids import Ids
from chatproof.simulator.limits import DAY_S, Limiter, Standing
from chatproof.simulator.sessions import Sessions
from chatproof.spec import Plan

MINUTE_S = 60
NOW = 1_000.25


def test_a_window_opens_with_its_first_request_and_closes_on_time() -> None:
    limiter = Limiter(Plan("p", requests_per_minute=2))
    assert limiter.standing(NOW) == Standing(2, 2, 1061, 60)
    limiter.take(NOW)
    limiter.take(NOW + 30)
    assert limiter.standing(NOW + 30) == Standing(2, 0, 1061, 30)
    assert limiter.retry_after(NOW + 30) == 30
    assert limiter.retry_after(NOW + MINUTE_S - 0.001) == 1
    assert limiter.retry_after(NOW + MINUTE_S) is None
    assert limiter.standing(NOW + MINUTE_S) == Standing(2, 2, 1121, 60)


def test_the_headers_tell_of_the_window_that_refuses_first() -> None:
    limiter = Limiter(Plan("p", requests_per_minute=3, requests_per_day=4))
    for second in range(3):
        limiter.take(NOW + second)
    assert limiter.standing(NOW + 2) == Standing(3, 0, 1061, 58)
    later = NOW + MINUTE_S
    limiter.take(later)
    assert limiter.standing(later) == Standing(4, 0, 87401, 86340)
    assert limiter.retry_after(later) == DAY_S - MINUTE_S
    assert limiter.retry_after(NOW + DAY_S) is None


def test_a_plan_may_have_a_window_that_is_short_enough_to_wait_for() -> None:
    limiter = Limiter(Plan("p", requests_per_minute=1, window_s=2))
    limiter.take(NOW)
    assert (limiter.retry_after(NOW), limiter.retry_after(NOW + 2)) == (2, None)
    standing = limiter.standing(NOW)
    assert standing is not None
    assert standing.reset == math.ceil(NOW + 2)


def test_waiting_as_long_as_told_is_enough() -> None:
    limiter = Limiter(Plan("p", requests_per_minute=1))
    limiter.take(NOW)
    for tenth in range(0, 600, 7):
        now = NOW + tenth / 10
        wait = limiter.retry_after(now)
        assert wait is not None
        assert limiter.retry_after(now + wait) is None
        standing = limiter.standing(now)
        assert standing is not None
        assert abs(standing.reset - now - wait) <= 1


def test_the_gauge_is_given_back() -> None:
    limiter = Limiter(Plan("p", concurrent=2))
    assert limiter.standing(NOW) is None
    limiter.take(NOW)
    limiter.take(NOW)
    assert limiter.retry_after(NOW) == 1
    limiter.release()
    assert limiter.retry_after(NOW) is None


def test_a_session_is_empty_again_after_its_idle_time() -> None:
    sessions = Sessions(100)
    sessions.open(("k", "a", "s"), 0).said.append("x")
    assert sessions.open(("k", "a", "s"), 100).said == ["x"]
    assert sessions.open(("k", "a", "s"), 200.5).said == []


def test_expired_sessions_are_forgotten_in_order_of_use() -> None:
    sessions = Sessions(100)
    for number in range(3):
        sessions.open(("k", "a", str(number)), number)
    sessions.open(("k", "a", "0"), 50)
    assert sessions.taken(("k", "a", "0"), 149)
    assert len(sessions) == 1


def test_without_an_expiry_a_session_stays() -> None:
    sessions = Sessions(None)
    sessions.open(("k", "a", "s"), 0).said.append("x")
    assert sessions.open(("k", "a", "s"), 1e9).said == ["x"]


def test_ids_come_from_the_seed_and_streams_do_not_disturb_each_other() -> None:
    one, two = Ids(1, "d"), Ids(1, "d")
    two.draw("other")
    assert [one.draw("s"), one.draw("s")] == [two.draw("s"), two.draw("s")]
    assert Ids(2, "d").draw("s") != Ids(1, "d").draw("s") != Ids(1, "e").draw("s")
