"""Who does which share of a run: places without a hole, whatever Locust's own count of its workers says."""

from __future__ import annotations

from argparse import Namespace

from chatproof.conformance.profile import profile
from chatproof.load.part import part, share_of
from chatproof.load.plan import Plan

PLAN = Plan(
    profile({"base_url": "http://127.0.0.1:1", "dialect": "guide", "credentials": {"valid": "k"}}), None, 4, 60.0
)


def options(places: dict[str, int]) -> Namespace:
    return Namespace(chatproof_plan=PLAN.to_json(), chatproof_places=places)


def test_a_worker_that_was_replaced_leaves_no_hole() -> None:
    told = options({"old": 0, "new": 1})
    assert part(told, "old", 0)[1:] == (0, 2)
    assert part(told, "new", 7)[1:] == (1, 2)


def test_who_comes_late_has_conversations_of_its_own() -> None:
    told = options({"a": 0, "b": 1})
    (first, place, count), (other, further, _) = part(told, "c", 2), part(told, "d", 3)
    assert place >= count
    assert 0 < first.first < other.first
    assert place != further
    assert part(told, "a", 0)[0].first == 0


def test_the_workers_of_one_command_keep_the_count_that_they_came_with() -> None:
    told = Namespace(chatproof_plan=PLAN.to_json(), chatproof_workers=3)
    assert part(told, "a", 2) == (PLAN, 2, 3)


def test_shares_add_up_and_none_is_left_with_nothing() -> None:
    assert [share_of(10, place, 3) for place in range(3)] == [4, 3, 3]
    assert [share_of(1, place, 3) for place in range(3)] == [1, 1, 1]
    assert share_of(0, 0, 2) == 0
