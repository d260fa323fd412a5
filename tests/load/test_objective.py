"""Objectives are read with hints, and what nothing was measured for is not kept."""

from __future__ import annotations

import pytest

from chatproof.load.objective import IMPLIED, Judged, Objective, judge, parse_objective, shown, with_implied


class Fake:
    """A run that measured TTFT and nothing else."""

    def statistic(self, histogram: str, statistic: str) -> float | None:
        return {("response ttft", "p95"): 790_000.0}.get((histogram, statistic))

    def share(self, outcome: str) -> float | None:
        return {"ok": 0.995, "errors": 0.005}[outcome]

    def number(self, name: str) -> int:
        return {"mixups": 0, "missed": 3}.get(name, 0)

    def rate(self, name: str) -> float | None:
        return 19.0

    def looked_for(self, name: str) -> bool:
        return name != "findings"


def judged(text: str) -> Judged:
    return judge([parse_objective(text, "response")], Fake())[0]


@pytest.mark.parametrize(
    ("text", "kept", "got"),
    [
        ("ttft p95 < 800ms", True, "790.0 ms"),
        ("ttft p95<0.7s", False, "790.0 ms"),
        ("response ttft p95 <= 790ms", True, "790.0 ms"),
        ("service ttft p95 < 800ms", None, "nothing to judge it by"),
        ("duration p99.9 < 2s", None, "nothing to judge it by"),
        ("ok > 99%", True, "99.50 %"),
        ("errors < 0.1%", False, "0.50 %"),
        ("mixups = 0", True, "0"),
        ("missed == 0", False, "3"),
        ("findings = 0", None, "nothing to judge it by"),
        ("goodput >= 20/s", False, "19.0/s"),
    ],
)
def test_objectives_are_judged(text: str, kept: bool | None, got: str) -> None:
    one = judged(text)
    assert one.kept is kept
    assert shown(one.objective, one.got) == got


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tfft p95 < 1s", "did you mean 'ttft'"),
        ("ttft p95 800ms", "expected NAME [STATISTIC] OPERATOR VALUE"),
        ("ttft < 800ms", "needs a statistic: ttft p95"),
        ("ttft p95 < 800", "a time with its unit"),
        ("ttft p95 < 8%", "a time with its unit"),
        ("mixup = 0ms", "a number or a share"),
        ("mixsup = 0", "did you mean 'mixup"),
        ("goodput > 20", "such as 20/s"),
        ("text-rate p50 > 40", "such as 40/s"),
        ("missed = 1%", "expected a number"),
        ("ok p95 > 3", "no metric 'ok'"),
        ("ttft p95 < 1s abort after soon", "--objective: expected a duration"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="--objective") as refused:
        parse_objective(text, "response")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_plain_metric_means_the_headline_clock() -> None:
    assert parse_objective("ttft p50 < 1s", "service").subject == "service ttft"
    assert parse_objective("gap p50 < 1s", "service").subject == "gap"


def test_abort() -> None:
    assert parse_objective("ok > 9% abort", "service").abort_after == 10
    assert parse_objective("ok > 9% abort after 30s", "service").abort_after == 30
    assert parse_objective("ok > 9%", "service").abort_after is None


def test_what_every_run_has_to_keep_can_be_said_otherwise() -> None:
    own = parse_objective("findings < 3", "service")
    found = with_implied([own])
    assert [one.subject for one in found] == ["findings", *(name for name in IMPLIED if name != "findings")]
    assert found[0] is own
    assert isinstance(found[1], Objective)
    assert found[1].implied
