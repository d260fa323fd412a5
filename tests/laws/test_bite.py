"""Law 5: every fault is noticed, exactly as ``kills.yaml`` says; and no check is blind: a fault or a mutant bites each."""

from __future__ import annotations

from functools import cache

import pytest

from chatproof.conformance.run import Run
from chatproof.simulator.app import running
from chatproof.simulator.faults import FAULTS
from chatproof.spec import dialect, names, requirements

from .kill_matrix import Kills, bitten, killed, pinned, stopped, unfolded, used
from .memory import all_dialects, broken, verify
from .mutants import MUTANTS, Mutant
from .test_silence import CUT, over_the_wire

STOPPED = ("bad-status-line",)
"""Faults that the preflight already stops: nothing is judged but HTTP itself."""
EXEMPT = {
    "http.host_required": "in memory h11 refuses such a request before a backend sees it, over sockets aiohttp does",
    "http.continues": "in memory nobody waits for a 100; tests/conformance/test_wire_asks.py bites it over a socket",
    "quota.first_plan_daily": "the daily key of the backend has less than a documented plan; tests/conformance bites it",
}
"""Checks that nothing here can bite, and why."""
BLIND: dict[str, str] = {}
"""Checks that cannot fail, though they should: each is a mistake of the judge, and goes from here when it is mended."""
ROWS = [(one, requirements(one)) for one in all_dialects()]
ON_THE_WIRE = [fault.name for fault in FAULTS.values() if fault.on in ("framing", "transport")]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_what_is_pinned(fault: str) -> None:
    """In one dialect, since all of them take minutes: ``python -m tests.laws.kill_matrix`` compares the whole table."""
    one = dialect(chosen(fault))
    kills, runs = killed(fault, [one])
    assert stopped(runs) == (fault in STOPPED)
    assert not [row for row in runs[one.name].judged if row.outcome == "error"]
    assert kills == {one.name: expected(fault)[one.name]}


def chosen(fault: str) -> str:
    """One of the dialects in which that fault breaks something, each in its turn."""
    where = [name for name, ids in expected(fault).items() if ids] or list(names())
    return where[list(FAULTS).index(fault) % len(where)]


def expected(fault: str) -> Kills:
    return unfolded(pinned()[fault])


@pytest.mark.slow
@pytest.mark.parametrize("fault", ON_THE_WIRE)
def test_a_fault_of_the_wire_breaks_the_same_over_a_socket(fault: str) -> None:
    """Only there a connection is really cut; one dialect, since the bytes are spoiled below all of them."""
    first = dialect(names()[0])
    with running([first], fault=fault) as server:
        finished = over_the_wire(server, first)
    assert set(broken(finished)) - CUT == expected(fault)[first.name] - CUT
    assert (finished.reason is not None) == (fault in STOPPED)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_noticed(mutant: Mutant) -> None:
    wanted = set(mutant.bites)
    for one, rows in ROWS:
        if wanted & {row.check for row in rows}:
            wanted -= bitten([verify(one, front=mutant.make())], {one.name: plain(one.name)})
    assert wanted == BLIND.keys() & set(mutant.bites), "mended ones go from BLIND"


def test_no_row_is_missing_and_none_is_stale() -> None:
    assert list(pinned()) == list(FAULTS)
    assert {fault for fault in FAULTS if not pinned()[fault]} == set(), "a fault that nothing notices"
    known = {one.name: {row.id for row in rows} for one, rows in ROWS}
    gone = [(fault, id) for fault in FAULTS for name, ids in expected(fault).items() for id in ids - known[name]]
    assert gone == []


def test_no_column_is_empty() -> None:
    pairs = [(name, id) for fault in FAULTS for name, ids in expected(fault).items() for id in ids]
    check_of = {(one.name, row.id): row.check for one, rows in ROWS for row in rows}
    by_fault = {check_of[pair] for pair in pairs}
    by_mutant = {check for mutant in MUTANTS for check in mutant.bites}
    empty = used() - by_fault - by_mutant
    assert {check for check in empty if not reads_only(check)} == EXEMPT.keys()
    assert by_mutant - used() == set(), "no requirement names it any more"


def reads_only(check: str) -> bool:
    """Whether every requirement that names it is a MAY: such a check tells a reading and never fails."""
    return {row.level for _, rows in ROWS for row in rows if row.check == check} == {"MAY"}


@cache
def plain(name: str) -> Run:
    return next(verify(one) for one, _ in ROWS if one.name == name)
