"""Law 5: every fault is noticed, exactly as ``kills.yaml`` says; and no check is blind: a fault or a mutant bites each."""

from __future__ import annotations

from functools import cache
from itertools import zip_longest
from typing import get_args

import pytest

from chatproof.conformance.run import Run
from chatproof.simulator.app import running
from chatproof.simulator.catalogue import KILLS as SHIPPED
from chatproof.simulator.fault import LayerName
from chatproof.simulator.faults import CATALOGUE, FAULTS
from chatproof.spec import dialect, names, requirements

from .kill_matrix import Kills, bitten, killed, pinned, shipped, smaller, stopped, unfolded, used
from .memory import all_dialects, broken, verify
from .mutants import MUTANTS, Mutant
from .test_silence import CUT, over_the_wire

STOPPED = (
    "http-400", "http-401", "http-402", "http-403", "http-404", "http-422", "http-429", "http-502", "http-504", "retry-after",
    "redirect", "redirect-loop", "balance-runs-out", "bad-status-line", "no-answer", "hang",
)  # fmt: skip
"""Faults that the preflight already stops: nothing is judged but HTTP itself, if that."""
FORBIDDEN = {"multi-line-data": {"stream/one-data-line"}}
"""What the standard allows and a document does not."""
EXEMPT = {
    "http.host_required": "in memory h11 refuses such a request before a backend sees it, over sockets aiohttp does",
    "http.continues": "in memory nobody waits for a 100; tests/conformance/test_wire_asks.py bites it over a socket",
    "quota.first_plan_daily": "the daily key of the backend has less than a documented plan; tests/conformance bites it",
}
"""Checks that nothing here can bite, and why."""
BLIND: dict[str, str] = {}
"""Checks that cannot fail, though they should: each is a mistake of the judge, and goes from here when it is mended."""
ROWS = [(one, requirements(one)) for one in all_dialects()]
OF_ITS_OWN = ("length-too-long", "length-too-short", "bad-chunk-size", "bad-status-line", "no-last-chunk", "closed-mid-stream", "reset-mid-stream",
    "held-back", "cut-inside", "reset-on-reuse")  # fmt: skip
"""Faults of the wire that are tried against the judge over a socket too, one of a kind; ``test_demonstration.py`` sends all of them."""
DEAR = {"held-back": ("pro",)}
"""Keys that are left out of such a run: ten streams that all come at their end would be a minute of waiting, and break nothing more."""
LEGAL = [fault.name for fault in FAULTS.values() if fault.kind == "legal"]
TOGETHER = [
    tuple(name for name in names_ if name)
    for names_ in zip_longest(*([name for name in LEGAL if FAULTS[name].on == on] for on in get_args(LayerName)))
]
"""Legal ones a layer each, so that one run is about several."""
COARSER = {"random-writes": "random-writes;bytes=400", "n-byte-writes": "n-byte-writes;bytes=300"}
"""Beside events of many kilobytes a write of a few bytes is a minute's work."""


@pytest.mark.slow
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in LEGAL])
def test_a_fault_breaks_what_is_pinned(fault: str) -> None:
    """In one dialect, since all of them take minutes: ``python -m tests.laws.kill_matrix`` compares the whole table."""
    one = dialect(chosen(fault))
    kills, runs = killed(fault, [one])
    assert stopped(runs) == (fault in STOPPED)
    assert not [row for row in runs[one.name].judged if row.outcome == "error"]
    assert kills == {one.name: expected(fault)[one.name]}


@pytest.mark.slow
@pytest.mark.parametrize("faults", TOGETHER, ids="+".join)
def test_legal_ones_together_break_no_more_than_each_does(faults: tuple[str, ...]) -> None:
    """In the dialect of the first of them that breaks anything, if one does; what one breaks another may hide."""
    one = dialect(chosen(next((fault for fault in faults if any(expected(fault).values())), faults[0])))
    run = verify(one, fault=[COARSER.get(fault) or smaller(fault) for fault in faults])
    assert not [row for row in run.judged if row.outcome == "error"]
    assert set(broken(run)) <= {id for fault in faults for id in expected(fault)[one.name]}


def chosen(fault: str) -> str:
    """One of the dialects in which that fault breaks something, each in its turn."""
    where = [name for name, ids in expected(fault).items() if ids] or list(names())
    return where[list(FAULTS).index(fault) % len(where)]


def expected(fault: str) -> Kills:
    return unfolded(pinned()[fault])


@pytest.mark.slow
@pytest.mark.parametrize("fault", OF_ITS_OWN)
def test_a_fault_of_the_wire_breaks_the_same_over_a_socket(fault: str) -> None:
    """Only there a connection is really cut; one dialect, since the bytes are spoiled below all of them."""
    first = dialect(names()[0])
    with running([first], fault=fault) as server:
        finished = over_the_wire(server, first, *DEAR.get(fault, ()))
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
    assert list(pinned()) == list(CATALOGUE)
    empty = {fault for fault in CATALOGUE if not pinned()[fault]}
    assert {fault for fault in empty if CATALOGUE[fault].kind != "legal"} == set(), "a fault that nothing notices"
    known = {one.name: {row.id for row in rows} for one, rows in ROWS}
    gone = [(fault, id) for fault in CATALOGUE for name, ids in expected(fault).items() for id in ids - known[name]]
    assert gone == []


def test_what_is_legal_breaks_no_must() -> None:
    levels = {(one.name, row.id): row.level for one, rows in ROWS for row in rows}
    legal = [fault for fault in CATALOGUE.values() if fault.kind == "legal"]
    assert len(legal) > 40
    for fault in legal:
        musts = {id for name, ids in expected(fault.name).items() for id in ids if levels[name, id] == "MUST"}
        assert musts == FORBIDDEN.get(fault.name, set()), fault.name


def test_what_is_shipped_is_what_is_pinned() -> None:
    assert SHIPPED.read_text("utf-8") == shipped()


def test_no_column_is_empty() -> None:
    always = [fault.name for fault in FAULTS.values() if fault.kind != "occasional"]
    pairs = [(name, id) for fault in always for name, ids in expected(fault).items() for id in ids]
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
