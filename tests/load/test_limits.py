"""Limit headers under load: what no correct server can do is a breach, and what a correct one may do is none."""

from __future__ import annotations

import json

import pytest

from chatproof.conformance.exchange import End
from chatproof.conformance.profile import profile
from chatproof.load.book import told
from chatproof.load.gate import BLIND_S, PAUSE_S, Gate
from chatproof.load.glance import Glimpse
from chatproof.load.heard import Heard
from chatproof.load.ledger import Ledger
from chatproof.load.limits import KEPT_GRANTS, Account, Advertised
from chatproof.load.plan import Plan
from chatproof.load.result import outline
from chatproof.load.timeline import Timeline
from chatproof.load.turn import Turn
from chatproof.spec import dialect

PLAN = Plan(profile({"base_url": "http://127.0.0.1:9", "dialect": "guide"}), None, 1, 1.0)

NOW, RESET = 1_800_000_000.0, 1_800_000_050
Row = tuple[int, int, int]
"""Sent at, ended at (nanoseconds), Remaining."""
S = 1_000_000_000


def heard(rows: list[Row], limit: int = 10, reset: int = RESET, now: float = NOW) -> Account:
    account = Account()
    for index, (sent, ended, remaining) in enumerate(rows):
        account.hear(200, Advertised(limit, remaining, reset, now), sent, ended, 3, index)
    return account


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 1, 9), (2, 3, 8), (4, 5, 7)],
        [(0, 9, 8), (1, 8, 9), (2, 10, 7)],
        [(0, 9, 7), (1, 9, 7), (2, 9, 7)],
        [(0, 1, 5), (2, 3, 2)],
        [(0, 1, 5), (2, 3, 5), (4, 5, 6)],
    ],
    ids=["in turn", "three at once", "counted when answered", "others use the key too", "slid meanwhile"],
)
def test_a_correct_server_breaches_nothing(rows: list[Row]) -> None:
    assert not heard(rows).breaches


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([(n * S, n * S + 1, 5) for n in range(4)], "Remaining does not fall inside a window"),
        ([(0, 1, 5), (2 * S, 3 * S, 6)], "Remaining does not fall inside a window"),
        ([(0, 1, 9), (2, 3, 9)], "Remaining counts fewer requests than were granted"),
        ([(0, 5, 9), (1, 5, 8), (6, 7, 8)], "Remaining counts fewer requests than were granted"),
        ([(0, 1, 10)], "Remaining is not below Limit after a request"),
        ([(0, 1, -1)], "Remaining is negative"),
    ],
)
def test_a_miscount_is_a_breach(rows: list[Row], what: str) -> None:
    assert what in heard(rows).breaches


@pytest.mark.parametrize(
    ("resets", "breaches"),
    [((60, 60, 61, 120), 0), ((60, 59, 58), 0), ((60, 120, 60), 1), ((60, 30, 60), 1)],
    ids=["windows follow each other", "nodes differ by a little", "jumps and comes back", "falls"],
)
def test_a_reset_that_goes_back_is_a_breach(resets: tuple[int, ...], breaches: int) -> None:
    account = Account()
    for index, reset in enumerate(resets):
        account.hear(200, Advertised(100, 90 - index, int(NOW) + reset, NOW), 2 * index, 2 * index + 1, None, index)
    assert account.breaches["Reset goes back"] == breaches


def test_answers_that_overlap_say_nothing_of_which_reset_was_first() -> None:
    account = Account()
    account.hear(200, Advertised(100, 90, int(NOW) + 120, NOW), 0, 5, None, 0)
    account.hear(200, Advertised(100, 91, int(NOW) + 60, NOW), 1, 6, None, 1)
    assert not account.breaches


def test_near_its_end_a_window_may_have_ended() -> None:
    assert not heard([(0, 1, 5), (2, 3, 9)], now=RESET - 1).breaches


def test_a_limit_that_changes_is_a_breach() -> None:
    account = heard([(0, 1, 9)])
    account.hear(200, Advertised(11, 8, RESET, NOW), 2, 3, None, 1)
    assert dict(account.breaches) == {"Limit changes": 1}


def test_refusals_are_counted_and_accounts_add_up() -> None:
    account = heard([(0, 1, 9)])
    account.hear(429, Advertised(10, 4, RESET, NOW), 2, 3, None, 1)
    account.hear(402, Advertised(None, None, None, NOW), 4, 5, None, 2)
    total = Account()
    for _ in range(2):
        total.merge(json.loads(json.dumps(account.to_data())))
    assert (total.sent, total.granted, total.limited, total.unpaid) == (6, 2, 2, 2)
    assert (total.limited_with_remaining, total.units, total.least_remaining) == (2, 6, 9)


def test_what_several_processes_were_granted_in_one_window_is_one_sum() -> None:
    """Neither of them was granted more than the limit."""
    one, other = (heard([(2 * index, 2 * index + 1, 9 - index) for index in range(7)]) for _ in range(2))
    assert (one.granted_beyond, other.granted_beyond) == (0, 0)
    total = Account()
    for account in (one, other):
        total.merge(json.loads(json.dumps(account.to_data())))
    assert total.granted_beyond == 4
    total.hear(200, Advertised(10, 9, RESET + 60, NOW), 90, 91, None, 20)
    assert total.granted_beyond == 4


def test_windows_that_are_long_over_are_forgotten() -> None:
    account = Account()
    for index in range(3000):
        said = Advertised(100, 90, int(NOW) + 10 + index, NOW + index)
        account.hear(200, said, 2 * index, 2 * index + 1, None, index)
    assert len(account.grants) <= KEPT_GRANTS + 1


def test_a_gate_closes_when_nothing_remains_and_counts_what_is_on_its_way() -> None:
    gate = Gate()
    first = gate.pass_()
    gate.pass_()
    gate.hear(first, 200, Advertised(10, 2, RESET, NOW), None, NOW)
    assert gate.wait(NOW) == 0
    gate.hear(first, 200, Advertised(10, 1, RESET, NOW), None, NOW)
    assert gate.wait(NOW) == 50
    assert gate.wait(RESET + 0.1) == 0


def test_a_gate_waits_as_long_as_a_refusal_says() -> None:
    gate = Gate()
    gate.hear(gate.pass_(), 429, Advertised(None, None, None, NOW), 7.0, NOW)
    assert gate.wait(NOW + 2) == 5
    assert gate.stood(RESET + 1e6) == [7.0]


def test_many_answers_of_one_standstill_are_one_wait() -> None:
    gate = Gate()
    places = [gate.pass_() for _ in range(3)]
    for index, place in enumerate(places):
        gate.hear(place, 429, Advertised(None, None, None, NOW), 7.0, NOW + index)
    assert gate.wait(NOW + 4) == 5
    assert gate.stood(RESET + 1e6) == [9.0]
    assert gate.wait(NOW + 10) == 0
    gate.hear(gate.pass_(), 429, Advertised(None, None, None, NOW), None, NOW + 20)
    assert gate.stood(RESET + 1e6) == [9.0, 1.0]


def test_no_more_is_sent_than_remains_also_before_the_answers_have_come() -> None:
    gate = Gate()
    gate.hear(gate.pass_(), 200, Advertised(3, 2, RESET, NOW), None, NOW)
    sent = 0
    while not gate.wait(NOW):
        gate.pass_()
        sent += 1
    assert (sent, gate.wait(NOW)) == (2, RESET - NOW)


def test_a_window_that_begins_grants_the_limit_until_an_answer_tells_more() -> None:
    gate = Gate()
    gate.hear(gate.pass_(), 200, Advertised(3, 0, RESET, NOW), None, NOW)
    sent, now = 0, RESET + 0.1
    while not gate.wait(now):
        gate.pass_()
        sent += 1
    assert (sent, gate.wait(now)) == (3, PAUSE_S)
    assert gate.wait(now + BLIND_S) == 0, "nothing was answered: to wait on would be to wait for ever"
    gate.hear(gate.sent, 200, Advertised(3, 0, RESET + 60, now), None, now)
    assert gate.wait(now) == pytest.approx(RESET + 60 - now)


@pytest.mark.parametrize("rates", [(25.0, 2.0), (4.0, 30.0), (30.0, 30.0), (9.0, 0.9)])
@pytest.mark.parametrize("limit", [10, 200])
def test_a_window_that_weighs_the_one_before_breaches_nothing(rates: tuple[float, float], limit: int) -> None:
    """A counter that slides: what was used in the window before weighs less and less, and ``Reset`` is the end of this one."""
    account, length = Account(), 6
    counts: dict[int, int] = {}
    at, index = 0.0, 0
    while at < 4 * length:
        window = int(at // length)
        part = at / length - window
        weighed = counts.get(window, 0) + counts.get(window - 1, 0) * (1 - part)
        granted = weighed + 1 <= limit
        counts[window] = counts.get(window, 0) + granted
        said = Advertised(limit, max(int(limit - weighed - granted), 0), int(NOW) + (window + 1) * length, NOW + at)
        account.hear(200 if granted else 429, said, round(at * S), round((at + 0.01) * S), None, index)
        at, index = at + 1 / rates[window % 2], index + 1
    assert not account.breaches, account.first
    assert account.granted_beyond == 0


def test_more_grants_than_the_limit_are_a_breach_where_only_the_sum_shows_it() -> None:
    ledger = Ledger(1.0, "service")
    for _ in range(2):
        one = Ledger(1.0, "service")
        one.accounts["valid"] = heard([(2 * index, 2 * index + 1, 9 - index) for index in range(7)])
        assert one.breaches == 0
        ledger.merge(json.loads(json.dumps(one.to_data(final=True))))
    assert ledger.breaches == 4
    told = outline(PLAN, dialect("guide"), ledger)["correctness"]["breaches"]
    assert told == [
        {"what": "More requests are granted in a window than its Limit", "count": 4, "first": "14 granted of 10"}
    ]


def test_a_request_without_an_answer_was_sent_with_the_key_all_the_same() -> None:
    account = Account()
    heard_of = Heard(b"", 0, [], End.FIRST_BYTE_TIMEOUT, "")
    told(account, Turn(0, 0, 0, "timeout", "", Timeline(0, 0, 0, 1), heard_of, Glimpse(None)), NOW)
    assert (account.sent, account.granted) == (1, 0)


def test_a_standstill_that_goes_on_counts_as_far_as_it_has_come() -> None:
    gate = Gate()
    gate.hear(gate.pass_(), 429, Advertised(None, None, None, NOW), 60.0, NOW)
    assert gate.stood(NOW + 4) == [4.0]
    assert gate.stood(NOW + 61) == [60.0]
