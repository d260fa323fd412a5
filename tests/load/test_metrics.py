"""Formulas of a turn's times, sums over processes, and the generator's own health."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatproof.conformance.exchange import Chunk, End
from chatproof.conformance.profile import Profile
from chatproof.load.glance import Glimpse
from chatproof.load.heard import Heard
from chatproof.load.ledger import Ledger
from chatproof.load.metrics import HISTOGRAMS, METRICS, histogram_of, measure
from chatproof.load.objective import judge, parse_objective, with_implied
from chatproof.load.plan import Plan
from chatproof.load.processor import Kept, kept_waiting
from chatproof.load.result import as_json, conclude, outline
from chatproof.load.timeline import Timeline
from chatproof.load.turn import Turn
from chatproof.load.validity import Sign, signs, to_data
from chatproof.spec import dialect

MS = 1_000_000
STREAM = Timeline(
    intended=0,
    started=5 * MS,
    sent=6 * MS,
    ended=130 * MS,
    first_byte=20 * MS,
    texts=(40 * MS, 50 * MS, 100 * MS),
    terminal=125 * MS,
    streamed=True,
    characters=30,
    units=4,
)


def turn(times: Timeline = STREAM, outcome: str = "ok", why: str = "why") -> Turn:
    heard = Heard(b"", 0, [Chunk(0, b"x" * 7)], End.COMPLETE, "")
    return Turn(0, 0, 0, outcome, "" if outcome == "ok" else why, times, heard, Glimpse(200))


def test_every_time_of_a_stream() -> None:
    assert measure(STREAM)[0] == {
        "service ttfb": 15_000,
        "response ttfb": 20_000,
        "service ttft": 35_000,
        "response ttft": 40_000,
        "service duration": 120_000,
        "response duration": 125_000,
        "stall": 50_000,
        "unit-time": 20_000,
        "text-rate": 500_000,
    }
    assert measure(STREAM)[1] == [10_000, 50_000]


def test_a_json_reply_has_no_time_of_its_text() -> None:
    reply = Timeline(0, 0, 0, 9 * MS, 8 * MS, (), 9 * MS)
    assert measure(reply)[0] == {
        "service ttfb": 8000,
        "response ttfb": 8000,
        "service duration": 9000,
        "response duration": 9000,
    }


def test_names() -> None:
    assert histogram_of("ttft", "response") == "response ttft"
    assert histogram_of("gap", "response") == "gap"
    assert {name.rpartition(" ")[2] for name in HISTOGRAMS} == set(METRICS)


def test_ledgers_add_up_and_only_ok_is_measured() -> None:
    one, other, both = (Ledger(1.0, "response") for _ in range(3))
    for ledger, outcome in ((one, "ok"), (other, "ok"), (other, "truncated")):
        for each in (ledger, both):
            each.begin(0.2, 1)
            each.add(turn(outcome=outcome), 0.5)
    parts = Ledger(1.0, "response")
    for ledger in (one, other):
        parts.merge(json.loads(json.dumps(ledger.to_data())))
    for name in ("outcomes", "statuses", "counters"):
        assert getattr(parts, name) == getattr(both, name)
    assert parts.histograms["gap"].to_data() == both.histograms["gap"].to_data()
    assert parts.histograms["response ttft"].count == 2
    assert parts.bins[0].ttft.count == 2
    assert parts.share("ok") == pytest.approx(2 / 3)
    assert parts.number("errors") == 1


def test_goodput_counts_turns_within_every_objective_that_one_turn_can_keep() -> None:
    ledger = Ledger(1.0, "response", (parse_objective("ttft p95 < 38ms", "response"),))
    ledger.add(turn(), 0.1)
    ledger.add(turn(STREAM._replace(intended=4 * MS)), 0.2)
    ledger.seconds = 2.0
    assert ledger.rate("goodput") == 0.5


@pytest.mark.parametrize(
    ("at_s", "warm", "good"), [(0.9, True, 0), (1.1, True, 1), (1.1, False, 1), (3.0, False, 1), (3.1, False, 0)]
)
def test_goodput_is_what_was_answered_while_the_run_was_measured(at_s: float, warm: bool, good: int) -> None:
    """What a target still answers when nobody asks any more is no rate that it holds."""
    ledger = Ledger(1.0, "response")
    ledger.begins_s, ledger.ends_s, ledger.seconds = 1.0, 3.0, 2.0
    ledger.add(turn(), at_s, warm=warm)
    assert ledger.rate("goodput") == good / 2


def test_the_warm_up_is_sent_and_not_measured() -> None:
    ledger = Ledger(1.0, "response")
    ledger.add(turn(), 0.1, warm=True)
    ledger.add(turn(outcome="http_error"), 0.2, warm=True)
    assert not ledger.outcomes
    assert not ledger.whys
    assert ledger.counters["warmup"] == 2
    assert not ledger.histograms["response ttft"].count


def test_the_rate_is_that_of_the_time_after_the_warm_up() -> None:
    ledger = Ledger(1.0, "response")
    ledger.begins_s, ledger.seconds = 1.0, 1.0
    for at_s in (0.1, 0.2, 1.1):
        ledger.begin(at_s, 1)
    assert ledger.rate("rate") == 1, "those of the warm-up have not ended yet"
    ledger.add(turn(), 1.2, warm=True)
    assert ledger.rate("rate") == 1


def test_a_mix_up_in_the_warm_up_is_one() -> None:
    ledger = Ledger(1.0, "response")
    ledger.add(turn(outcome="mixup"), 0.1, warm=True)
    assert ledger.number("mixups") == 1
    assert conclude(judge(with_implied([]), ledger), [], ledger, "")[0] == "broken"


@pytest.mark.parametrize(
    ("lag_us", "due", "sent", "cpu", "bad"),
    [
        (100, 100, 100, 1.0, None),
        (90_000, 100, 100, 1.0, "send lag p50"),
        (100, 100, 94, 1.0, "achieved rate"),
        (100, 100, 100, 9.5, "CPU"),
    ],
)
def test_a_generator_that_did_not_keep_time_says_so(
    lag_us: int, due: int, sent: int, cpu: float, bad: str | None
) -> None:
    ledger = Ledger(1.0, "response")
    ledger.lags["send"].record(lag_us)
    ledger.counters.update(due=due, sent=sent)
    ledger.cpu_s, ledger.span_s = [cpu], 10.0
    found = to_data(signs(ledger))
    assert found["valid"] is (bad is None)
    assert next((sign["name"] for sign in found["signs"] if not sign["good"]), None) == bad


@pytest.mark.parametrize(
    ("lag_us", "first_ms", "good"), [(1_900, 40, True), (2_100, 40, False), (2_100, 400, True), (900, 1, True)]
)
def test_reads_may_be_late_by_a_small_share_of_what_they_measure(lag_us: int, first_ms: int, good: bool) -> None:
    ledger = Ledger(1.0, "service")
    ledger.histograms["service ttft"].record(first_ms * 1000)
    ledger.lags["read"].record(lag_us)
    found = {sign.name: sign.good for sign in signs(ledger)}
    assert found == {"read lag p50": good, "read lag p99": True}


def test_a_process_that_others_kept_waiting_says_so_each_for_itself() -> None:
    ledger = Ledger(1.0, "service")
    ledger.kept_waiting, ledger.span_s = [Kept(2.0, 40_000), Kept(0.1, 90), Kept(0.0, 0)], 10.0
    found = {sign.name: (sign.good, sign.got) for sign in signs(ledger)}
    assert found == {
        "CPU wait of process 0": (True, "50 us on average"),
        "CPU wait of process 1": (False, "1.1 ms on average"),
        "CPU wait of process 2": (True, "0 us on average"),
    }


@pytest.mark.parametrize(("first_ms", "good"), [(40, False), (60, True)])
def test_a_process_may_be_kept_waiting_for_a_small_share_of_what_it_measures(first_ms: int, good: bool) -> None:
    ledger = Ledger(1.0, "service")
    ledger.histograms["service ttft"].record(first_ms * 1000)
    ledger.kept_waiting, ledger.span_s = [Kept(2.5, 1000)], 10.0
    assert [(sign.name, sign.good) for sign in signs(ledger)] == [("CPU wait", good)]


def test_how_long_this_thread_waited_for_a_processor_is_what_the_system_says(tmp_path: Path) -> None:
    (tmp_path / "schedstat").write_text("16000 2500000000 42\n")
    kept = kept_waiting(tmp_path / "schedstat")
    assert kept == Kept(2.5, 42)
    assert kept.since(Kept(2.0, 40)) == Kept(0.5, 2)
    (tmp_path / "less").write_text("16000 2500000000\n")
    assert kept_waiting(tmp_path / "less") is kept_waiting(tmp_path / "none") is None


def test_wrong_answers_count_however_late_and_times_only_from_a_good_generator() -> None:
    ledger = Ledger(1.0, "response")
    ledger.add(turn(), 0.1)
    slow = judge(with_implied([parse_objective("ttft p95 < 1ms", "response")]), ledger)
    late = [Sign("CPU", "at most 90%", "99.0%", False, "")]
    assert conclude(slow, [], ledger, "")[0] == "broken"
    assert conclude(slow, late, ledger, "") == (
        "invalid",
        "this generator did not keep time: CPU is 99.0%, at most 90%",
    )
    assert conclude(slow, [], ledger, "interrupted")[0] == "incomplete"
    ledger.add(turn(outcome="mixup"), 0.2)
    mixed = judge(with_implied([]), ledger)
    assert conclude(mixed, late, ledger, "")[0] == "broken"
    nothing = Ledger(1.0, "response")
    assert conclude(judge(with_implied([]), nothing), [], nothing, "")[0] == "incomplete"


def test_turns_that_were_not_sent_prove_nothing_good_and_mend_nothing_that_is_missed() -> None:
    ledger = Ledger(1.0, "response")
    ledger.add(turn(), 0.1)
    ledger.counters.update(due=10, sent=1, missed=9)
    slow, quick = (judge([parse_objective(f"ttft p95 < {ms}ms", "response")], ledger) for ms in (1, 1000))
    assert [sign.name for sign in signs(ledger) if not sign.good] == ["achieved rate"]
    assert conclude(slow, signs(ledger), ledger, "")[0] == "broken"
    assert conclude(quick, signs(ledger), ledger, "")[0] == "invalid"


def test_a_target_that_gives_every_conversation_one_session_is_told_once() -> None:
    ledger = Ledger(1.0, "response")
    ledger.duplicates.update(f"one session id for conversations 1 and {number}" for number in range(2, 9))
    plan = Plan(Profile("http://127.0.0.1:9", "guide", {"valid": "k"}, {"default": "a"}), None, 1, 1.0)
    told = outline(plan, dialect("guide"), ledger)["correctness"]
    assert told["invariants"] == 7
    first = "one session id for conversations 1 and 2"
    assert told["breaches"] == [{"what": "A session id is given again", "count": 7, "first": first}]


def test_reasons_that_are_all_different_do_not_fill_the_ledger() -> None:
    ledger = Ledger(1.0, "service")
    for number in range(500):
        ledger.add(turn(outcome="error_event", why=f"request {number} failed"), 0.0)
    assert sum(ledger.whys["error_event"].values()) == 500
    assert len(ledger.whys["error_event"]) < 110


def test_one_session_id_for_all_is_one_example_and_a_count() -> None:
    ledger = Ledger(1.0, "service")
    for number in range(1, 500):
        ledger.duplicate(0, number)
    assert ledger.duplicates == {"one session id for conversations 0 and 1": 499}


@pytest.mark.parametrize(
    ("text", "good"), [("text-rate p5 > 400/s", 1), ("text-rate p5 > 600/s", 0), ("gap max < 1ms", 1)]
)
def test_a_good_turn_keeps_whatever_a_single_one_can(text: str, good: int) -> None:
    """A turn has many gaps, and no value of its own."""
    ledger = Ledger(1.0, "service", (parse_objective(text, "service"),))
    ledger.add(turn(), 1.5)
    assert ledger.counters["good"] == ledger.bin(1.5).counts["good"] == good


def test_the_rates_of_a_point_are_of_its_own_time() -> None:
    """The last one may be shorter than the others; behind the end nothing is begun."""
    ledger = Ledger(1.0, "service")
    for at_s in (0.1, 0.6, 1.1):
        ledger.due(at_s)
        ledger.begin(at_s, 1)
    ledger.add(turn(), 2.2)
    ledger.span_s = 1.5
    plan = Plan(Profile("http://127.0.0.1:9", "guide", {"valid": "k"}, {"default": "a"}), None, 1, 1.5)
    told = as_json(plan, dialect("guide"), ledger, "0", "")["series"]
    assert [(row["intended_per_s"], row["achieved_per_s"]) for row in told] == [(2, 2), (2, 2), (0, 0)]
