"""Turns that had not ended when a run was cut off: an objective that holds only without them is not kept."""

from __future__ import annotations

import pytest

from chatproof.load.ledger import Ledger
from chatproof.load.objective import judge, parse_objective
from chatproof.load.result import conclude
from chatproof.load.unfinished import overturned


def ledger_of(unfinished: int) -> Ledger:
    """A hundred turns, ninety-five of them answered after 10 ms and five after 50 ms, and two errors."""
    ledger = Ledger(1.0, "service")
    for ms, turns in ((10, 95), (50, 5)):
        for _ in range(turns):
            ledger.histograms["service duration"].record(ms * 1000)
            ledger.histograms["text-rate"].record(ms * 1000)
    ledger.outcomes.update(ok=100, timeout=2, unfinished=unfinished)
    return ledger


@pytest.mark.parametrize(
    ("text", "unfinished", "may_be_missed"),
    [
        ("ok > 90%", 9, False),
        ("ok > 90%", 10, True),
        ("ok > 90", 1000, False),
        ("errors < 5%", 3, False),
        ("errors < 5%", 4, True),
        ("timeout <= 3", 1, False),
        ("timeout <= 3", 2, True),
        ("timeout > 1", 50, False),
        ("unfinished < 50", 20, False),
        ("duration p95 < 40ms", 0, False),
        ("duration p95 < 40ms", 1, True),
        ("duration p50 < 40ms", 80, False),
        ("duration p50 < 40ms", 101, True),
        ("duration mean < 40ms", 1, True),
        ("duration max < 60ms", 1, True),
        ("duration min < 60ms", 9, False),
        ("duration p50 > 5ms", 90, False),
        ("duration p50 > 5ms", 101, True),
        ("text-rate p5 > 5/s", 4, False),
        ("text-rate p5 > 5/s", 6, True),
        ("text-rate min > 5/s", 1, True),
        ("mixups = 0", 50, False),
    ],
)
def test_they_may_have_gone_as_badly_as_they_can(text: str, unfinished: int, may_be_missed: bool) -> None:
    ledger = ledger_of(unfinished)
    judged = judge([parse_objective(text, "service")], ledger)
    ledger.counters["words"] = 1
    assert (overturned(judged, ledger) is not None) is may_be_missed


def test_such_a_run_is_neither_kept_nor_broken() -> None:
    ledger = ledger_of(50)
    told = [parse_objective(text, "service") for text in ("ok > 50%", "duration p99 < 1s")]
    verdict, why = conclude(judge(told, ledger), [], ledger, "")
    assert verdict == "incomplete"
    assert why == "duration p99 < 1s is kept only without the 50 turns that had not ended when the run was cut off"
    missed = [*told, parse_objective("duration p99 < 20ms", "service")]
    assert conclude(judge(missed, ledger), [], ledger, "")[0] == "broken"
    assert conclude(judge([], ledger), [], ledger, "")[0] == "kept"
