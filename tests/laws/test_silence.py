"""Law 4: a backend without faults is never blamed, in any dialect, under any legal variant; and nothing stays undecided.

In memory every variant meets every dialect, the fifth included. Over sockets one server of each variant meets all packaged
dialects at once, since only there the kernel decides where a read ends.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chatproof.conformance import run
from chatproof.conformance.run import Options, Run
from chatproof.simulator.app import Running, running
from chatproof.simulator.variants import VARIANTS
from chatproof.spec import Dialect

from .memory import SEED, all_dialects, broken, full_profile, verify

DIALECTS = all_dialects()
PRINTED_READERS = frozenset({"compat/javascript"})
"""What the documents' own sample clients trip over although it is legal: SHOULDs, and rightly warnings."""
LEGAL_WARNINGS = {"one-byte-writes": PRINTED_READERS, "torn-events": PRINTED_READERS}
"""Variant -> the SHOULDs that it may miss. A reader that splits each read by itself loses events that are cut."""
NEVER_SEEN = frozenset({"http/retry-after-unavailable"})
"""A 503 is asked for only where the documents have one."""
NOT_IN_A_MOMENT = frozenset({"session/expires"})
"""Over sockets nobody waits until a session has expired."""


def undecided(finished: Run) -> dict[str, str]:
    """Requirement id -> outcome and reason, of those that have a check and were not decided."""
    outcomes = ("error", "inconclusive", "skipped", "not_verified")
    return {row.requirement.id: f"{row.outcome}: {row.reason}" for row in finished.judged if row.outcome in outcomes}


def name_of(dialect: Dialect) -> str:
    return dialect.name


@pytest.mark.slow
@pytest.mark.parametrize("variant", [None, *VARIANTS])
@pytest.mark.parametrize("dialect", DIALECTS, ids=name_of)
def test_no_legal_variant_is_blamed(dialect: Dialect, variant: str | None) -> None:
    finished = verify(dialect, variant=variant)
    assert finished.reason is None
    assert set(broken(finished)) - LEGAL_WARNINGS.get(variant or "", frozenset()) == set()
    assert set(undecided(finished)) <= NEVER_SEEN, undecided(finished)
    assert finished.verdict == "conformant"


@pytest.mark.slow
@pytest.mark.parametrize("variant", [None, *VARIANTS])
def test_no_legal_variant_is_blamed_over_a_socket(variant: str | None) -> None:
    with running(variant=variant) as server, ThreadPoolExecutor(len(server.backend.realms)) as pool:
        runs = list(pool.map(lambda realm: over_the_wire(server, realm.dialect), server.backend.realms.values()))
    for finished in runs:
        assert finished.reason is None
        assert set(broken(finished)) - LEGAL_WARNINGS.get(variant or "", frozenset()) == set(), finished.dialect.name
        assert set(undecided(finished)) <= NEVER_SEEN | NOT_IN_A_MOMENT, undecided(finished)


@pytest.mark.slow
def test_a_warning_that_is_allowed_is_one_that_comes() -> None:
    for variant, allowed in LEGAL_WARNINGS.items():
        assert set().union(*(broken(verify(dialect, variant=variant)) for dialect in DIALECTS)) == allowed, variant
    assert VARIANTS.keys() >= LEGAL_WARNINGS.keys()


def over_the_wire(server: Running, dialect: Dialect) -> Run:
    return run.verify(full_profile(dialect, server.url(dialect.name)), dialect, Options(seed=SEED))
