"""The search brackets the end whatever it is, in few steps, and says so in words."""

from __future__ import annotations

import pytest

from chatproof.load.capacity import MOST_STEPS, PRECISION, Step, conclude, search, untried


def found(true: float, start: float, most: float, *, whole: bool = False) -> list[Step]:
    tries, steps = search(start, most, whole=whole), list[Step]()
    load: float | None = next(tries)
    while load is not None:
        steps.append(Step(load, load <= true, "", load, 0, True, value=load))
        try:
            load = tries.send(load <= true)
        except StopIteration:
            load = None
    return steps


@pytest.mark.parametrize("true", [3, 7.5, 40, 41, 333])
@pytest.mark.parametrize("start", [1, 10, 500])
@pytest.mark.parametrize("whole", [True, False])
def test_the_end_is_bracketed(true: float, start: float, whole: bool) -> None:
    steps = found(true, start, 1000, whole=whole)
    said = conclude("x", "users", steps)
    assert said["holds"] <= true < said["breaks"]
    assert said["breaks"] <= said["holds"] * PRECISION + 0.001 or (whole and said["breaks"] - said["holds"] <= 1)
    assert said["found"]
    assert len(steps) <= MOST_STEPS
    assert len({step.load for step in steps}) == len(steps)


def test_no_end_below_the_most() -> None:
    said = conclude("x", "users", found(1e9, 10, 100))
    assert (said["holds"], said["breaks"], said["found"]) == (100, None, False)
    assert "the end was not found" in said["words"]


def test_not_even_the_least() -> None:
    said = conclude("x", "users", found(0, 4, 100, whole=True))
    assert said["holds"] is None
    assert said["words"] == "holds not even 1 users"


def test_a_generator_that_gave_up_is_no_end_of_the_target() -> None:
    steps = [Step(10, True, "", 10, 0, True), Step(20, False, "", 20, 0, False)]
    assert "this generator did not keep time" in conclude("x", "users", steps)["words"]


def test_a_generator_that_never_kept_time_found_nothing() -> None:
    steps = [Step(10, False, "", 10, 0, False), Step(5, False, "", 5, 0, False)]
    said = conclude("x", "users", steps)
    assert (said["holds"], said["found"]) == (None, False)
    assert said["words"] == "at 5 this generator did not keep time, so the end was not found"


def test_the_limit_of_a_key_is_no_end_of_the_target_and_is_called_what_it_is() -> None:
    steps = [Step(10, True, "", 10, 0, True), Step(20, False, "", 20, 9, True, limited=9)]
    said = conclude("x", "turns a second", steps)["words"]
    assert said.startswith(
        "holds 10 turns a second, breaks at 20, where turns were refused with 429: a limit of the key"
    )


def test_a_search_without_a_step_says_so() -> None:
    assert conclude("x", "users", [])["words"] == "no step was run"


def test_nothing_is_tried_below_the_least() -> None:
    tries = search(8, 100, least=3)
    assert [next(tries), tries.send(False)] == [8, 4]
    with pytest.raises(StopIteration):
        tries.send(False)


def test_a_search_goes_on_where_it_is_judged_anew() -> None:
    """Its first steps were missed by what was set aside since."""
    kept = {10.0: True, 1.0: True, 20.0: True}
    assert untried(search(10, 100), kept) == 40
    assert untried(search(10, 100), kept | {40.0: False}) == 28.284
    assert untried(search(10, 20), kept) is None


def test_what_the_least_load_misses_too_is_named() -> None:
    said = conclude("x", "users", [Step(10, True, "", 10, 0, True)], ["findings = 0"])
    assert said["aside"] == ["findings = 0"]
    assert said["words"].endswith("; missed at the least load too: findings = 0")


def test_what_cannot_be_judged_is_no_end_of_the_target() -> None:
    steps = [
        Step(10, False, "nothing to judge it by", 10, 0, True),
        Step(5, False, "nothing to judge it by", 5, 0, True),
    ]
    said = conclude("gap p95 < 100ms", "turns a second", steps)
    assert not said["found"]
    assert said["words"] == "at 5 there was nothing to judge it by, so the end was not found"
    failed = conclude("ttft p95 < 1s", "users", [Step(4, False, "nothing to judge it by", 9, 20, True)])
    assert failed["words"] == "holds not even 4 users"


def test_an_end_that_was_not_found_is_no_end() -> None:
    steps = [Step(1, True, "", 1, 0, True, value=1), Step(2, False, "", 2, 0, False, value=9)]
    assert (conclude("x", "users", steps)["holds"], conclude("x", "users", steps)["breaks"]) == (1, None)
