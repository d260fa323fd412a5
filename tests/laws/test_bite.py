"""Law 5: every fault is noticed, exactly as ``kills.yaml`` says; and no check is blind: a fault or a mutant bites each."""

from __future__ import annotations

from functools import cache

import pytest

from chatproof.conformance.run import Run
from chatproof.simulator.app import running
from chatproof.simulator.faults import FAULTS
from chatproof.spec import dialect, names, requirements

from .kill_matrix import bitten, folded, killed, pinned, stopped, unfolded, used
from .memory import all_dialects, broken, verify
from .mutants import MUTANTS, Mutant
from .test_silence import over_the_wire

SURVIVORS = {
    "session-leaks-between-agents": "no document says that two agents do not share a session",
}
"""Faults that nothing notices, and why that is right."""
STOPPED = ("bad-status-line",)
"""Faults after which nothing is judged: the preflight says that this is no HTTP, and the exit code is 3."""
EXEMPT = {
    "http.host_required": "in memory h11 refuses such a request before a backend sees it, over sockets aiohttp does",
    "tools.called": "an agent that calls no tool may be right, so its silence leaves the question open",
    "tools.listed": "as tools.called",
}
"""Checks that nothing here can bite, and why."""
BLIND: dict[str, str] = {
    "json.well_formed_text": "looks for two backslashes before the u, where JSON has one",
    "quota.per_key": "the 429 it waits for counts as a stray one, so it is never judged",
}
"""Checks that cannot fail, though they should: each is a mistake of the judge, and goes from here when it is mended."""
ON_THE_WIRE = [fault.name for fault in FAULTS.values() if fault.on in ("framing", "transport")]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_what_is_pinned(fault: str) -> None:
    kills, runs = killed(fault)
    row = pinned()["faults"][fault]
    assert stopped(runs) == (fault in STOPPED) == bool(row.get("stopped"))
    assert not [row for run in runs.values() for row in run.judged if row.outcome == "error"]
    if fault not in STOPPED:
        assert folded(kills) == folded(unfolded(row))
    assert fault in STOPPED or any(kills.values()) != (fault in SURVIVORS)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ON_THE_WIRE)
def test_a_fault_of_the_wire_breaks_the_same_over_a_socket(fault: str) -> None:
    """Only there a connection is really cut; one dialect, since the bytes are spoiled below all of them."""
    first = dialect(names()[0])
    with running([first], fault=fault) as server:
        finished = over_the_wire(server, first)
    assert set(broken(finished)) == unfolded(pinned()["faults"][fault])[first.name]
    assert (finished.reason is not None) == (fault in STOPPED)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_noticed(mutant: Mutant) -> None:
    wanted = set(mutant.bites)
    for one in all_dialects():
        if wanted & {row.check for row in requirements(one)}:
            wanted -= bitten([verify(one, front=mutant.make())], {one.name: plain(one.name)})
    assert wanted == wanted & BLIND.keys()
    assert wanted == BLIND.keys() & set(mutant.bites), "mended: take it from BLIND"


def test_no_row_is_missing_and_none_is_stale() -> None:
    rows = pinned()["faults"]
    assert list(rows) == list(FAULTS)
    assert {name for name, row in rows.items() if not row} == SURVIVORS.keys()
    known = {name: {row.id for row in requirements(dialect(name))} for name in names()}
    for fault, row in rows.items():
        if "stopped" not in row:
            assert [(fault, id) for name, ids in unfolded(row).items() for id in ids if id not in known[name]] == []


def test_no_column_is_empty() -> None:
    by_fault = {
        row.check
        for fault in pinned()["faults"].values()
        for name, ids in (unfolded(fault) if "stopped" not in fault else {}).items()
        for row in requirements(dialect(name))
        if row.id in ids
    }
    by_mutant = {check for mutant in MUTANTS for check in mutant.bites}
    only_read = {check for check in used() if reads_only(check)}
    assert used() - by_fault - by_mutant - EXEMPT.keys() - only_read == set()
    assert by_mutant - used() == set(), "no requirement names it any more"
    assert EXEMPT.keys() <= used()


def reads_only(check: str) -> bool:
    """Whether every requirement that names it is a MAY: such a check tells a reading and never fails."""
    levels = {row.level for one in all_dialects() for row in requirements(one) if row.check == check}
    return levels == {"MAY"}


@cache
def plain(name: str) -> Run:
    return next(verify(one) for one in all_dialects() if one.name == name)
