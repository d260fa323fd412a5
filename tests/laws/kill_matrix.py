"""Law 5 as a table: which fault breaks which requirement of which dialect. ``python -m tests.laws.kill_matrix [FAULT]…``

Without arguments every fault meets every packaged dialect, and faults that nothing notices and checks that nothing breaks are
listed below the table. ``--write`` pins what was seen in ``kills.yaml``, to be reviewed by hand before it is committed.
``--page`` runs nothing and writes ``docs/kill-matrix.md`` from what is pinned; ``--write`` does that too, and writes the data
that ``chatproof faults NAME`` shows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from chatproof.conformance.check import CHECKS
from chatproof.conformance.run import Run
from chatproof.simulator.catalogue import KILLS as SHIPPED
from chatproof.simulator.faults import CATALOGUE
from chatproof.spec import Dialect, dialect, names, requirements

from .memory import broken, verify

KILLS = Path(__file__).parent / "kills.yaml"
HEAD = """\
# Law 5: what each fault breaks, over all packaged dialects: `all` in every one of them, the rest in that one beside it.
# `stopped`: the preflight ends the run, so hardly anything is judged. What is legal breaks SHOULDs at most, and often nothing. Written by `python -m tests.laws.kill_matrix --write`, reviewed by hand.
"""

SMALLER = {"huge-event": "bytes=20000", "tool-result-huge": "bytes=20000"}
"""Parameters under which nothing else is broken, and less is read."""

Kills = dict[str, frozenset[str]]
"""Dialect -> the requirements that failed or warned."""


def killed(fault: str, dialects: Iterable[Dialect] | None = None) -> tuple[Kills, dict[str, Run]]:
    """What that fault breaks in each dialect, and the runs."""
    runs = {one.name: verify(one, fault=smaller(fault)) for one in dialects or map(dialect, names())}
    return {name: frozenset(broken(run)) for name, run in runs.items()}, runs


def smaller(fault: str) -> str:
    """The fault as it meets the judge."""
    return f"{fault};{SMALLER[fault]}" if fault in SMALLER else fault


def stopped(runs: Mapping[str, Run]) -> bool:
    """Whether the preflight already refused such a server in every dialect, so that the exit code says 3."""
    return all(run.reason is not None for run in runs.values())


def folded(kills: Kills) -> dict[str, list[str]]:
    """The same with what is common to all dialects said once."""
    common = frozenset.intersection(*kills.values())
    rest = {name: sorted(ids - common) for name, ids in kills.items()}
    return {"all": sorted(common), **{name: ids for name, ids in rest.items() if ids}}


def unfolded(row: Mapping[str, list[str]]) -> Kills:
    """A row of ``kills.yaml`` as ``killed`` gives it."""
    return {name: frozenset(row.get("all", ())) | frozenset(row.get(name, ())) for name in names()}


def bitten(runs: Iterable[Run], plain: Mapping[str, Run]) -> set[str]:
    """The checks that found something, or read an open question otherwise than they do without the fault."""
    found = set()
    for run in runs:
        for row, calm in zip(run.judged, plain[run.dialect.name].judged, strict=False):
            other = row.outcome == calm.outcome == "observed" and row.reason != calm.reason
            if row.requirement.check is not None and (row.findings or other):
                found.add(row.requirement.check)
    return found


@cache
def pinned() -> dict[str, Any]:
    """``kills.yaml``: fault -> ``all`` or a dialect -> requirement ids; and perhaps ``stopped: true``."""
    data: dict[str, Any] = yaml.safe_load(KILLS.read_text("utf-8"))
    return data


def shipped() -> str:
    """What ``chatproof faults`` says of it: fault -> whether the preflight stops, and dialect -> requirement ids."""
    rows = {
        fault: {
            "stopped": bool(row.get("stopped")),
            "requirements": {name: sorted(ids) for name, ids in unfolded(row).items() if ids},
        }
        for fault, row in pinned().items()
    }
    return json.dumps(rows, separators=(",", ":")).replace('},"', '},\n"') + "\n"


def main(arguments: list[str]) -> int:
    """Print the table; 1 if it differs from what is pinned, unless ``--write`` pins it or only some faults were asked for."""
    if "--page" in arguments:
        return _write_page()
    write, chosen = "--write" in arguments, [name for name in arguments if name != "--write"]
    plain = {name: verify(dialect(name)) for name in names()}
    table: dict[str, dict[str, Any]] = {}
    bites: set[str] = set()
    for fault in chosen or CATALOGUE:
        kills, runs = killed(fault)
        row: dict[str, Any] = {"stopped": True} if stopped(runs) else {}
        table[fault] = row | {key: ids for key, ids in folded(kills).items() if ids}
        bites |= bitten(runs.values(), plain)
        print(
            fault,
            *(f"  {where:<10} {' '.join(ids)}" for where, ids in table[fault].items() if ids is not True),
            sep="\n",
        )
    if chosen:
        return 0
    unbitten = sorted(used() - bites)
    unnoticed = [name for name, row in table.items() if not row and not CATALOGUE[name].legal]
    print(f"\nNothing notices: {', '.join(unnoticed) or 'none'}")
    print(f"Bitten by a mutant only, if at all ({len(unbitten)} of {len(used())}): {', '.join(unbitten)}")
    if write:
        text = yaml.safe_dump(table, sort_keys=False, width=118, default_flow_style=None)
        KILLS.write_text(HEAD + text, "utf-8")
        pinned.cache_clear()
        SHIPPED.write_text(shipped(), "utf-8")
        return _write_page()
    differs = [fault for fault, row in table.items() if row != pinned().get(fault)]
    print(f"Otherwise than pinned: {', '.join(differs) or 'none'}")
    return 1 if differs else 0


def _write_page() -> int:
    from .kill_page import PAGE, page

    PAGE.write_text(page(), "utf-8")
    return 0


@cache
def used() -> set[str]:
    """The checks that some requirement of a packaged dialect names."""
    named = {row.check for name in names() for row in requirements(dialect(name)) if row.check is not None}
    return named & CHECKS.keys()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
