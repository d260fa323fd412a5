"""The kill matrix as a page to read, made of what is pinned in ``kills.yaml`` and of the mutants' table; nothing is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from chatproof.simulator.faults import CATALOGUE
from chatproof.spec import Requirement, dialect, names, requirements

from .kill_matrix import Kills, pinned, unfolded
from .mutants import MUTANTS
from .test_bite import EXEMPT

PAGE = Path(__file__).parents[2] / "docs" / "kill-matrix.md"
LAYERS = {
    "decision": "Decisions: who is refused, what is remembered, what headers and errors say",
    "events": "Events: what a stream says, and in which order",
    "encoding": "Encoding: JSON, characters, and the lines of a stream",
    "framing": "Framing: HTTP/1.1 itself",
    "transport": "Transport: when bytes are sent, and how the connection ends",
}
HEAD = """\
# The kill matrix

What proves that a check can fail? A backend that is broken on purpose, in exactly one way. This page lists every requirement with the broken backends
that it notices, and every broken backend with the requirements that notice it. The other half of the proof, that a correct backend is never accused,
is in `tests/laws/test_silence.py` and `tests/strangers/`.

*Faults* are the simulator's own (`chatproof faults`, `chatproof serve --fault NAME`), each in force for every request. *Violations* are what no correct
server does; what is *legal* breaks a SHOULD at most; what is *occasional* is right now and then, and an accusation only of a server that always does it. Which requirements each of them breaks in which dialect is pinned
in `tests/laws/kills.yaml` and tested: one more is a false accusation, one less is a blind check. *Mutants* are backends spoiled further in
`tests/laws/mutants.py`, for checks that no fault bites; of these it is tested only that the check notices them.

How to read a row: names of dialects in brackets mean that it holds in these only; without brackets, wherever the requirement exists. Where nothing bites
a requirement, the row says why. Written by `python -m tests.laws.kill_matrix --page`; do not edit.

"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(f"{line}\n" for line in (*_summary(), *_by_requirement(), *_by_fault())).rstrip() + "\n"


@cache
def rows() -> dict[str, dict[str, Requirement]]:
    """Requirement id -> dialect -> the requirement there; families together."""
    found: dict[str, dict[str, Requirement]] = {}
    for name in names():
        for row in requirements(dialect(name)):
            found.setdefault(row.id, {})[name] = row
    return dict(sorted(found.items()))


@cache
def kills() -> dict[str, Kills]:
    """Fault -> dialect -> requirement ids."""
    return {fault: unfolded({} if "stopped" in row else row) for fault, row in pinned().items()}


def killers(id: str, where: Mapping[str, Requirement]) -> list[str]:
    """What bites that requirement: faults, then mutants, each with the dialects if it does so in some only.

    What is right now and then is left out: it bites half of all requirements and says little of any.
    """
    found = [
        _in(fault, [name for name in where if id in ids[name]], where)
        for fault, ids in kills().items()
        if any(id in ids[name] for name in where) and CATALOGUE[fault].kind != "occasional"
    ]
    for mutant in MUTANTS:
        bitten = [name for name, row in where.items() if row.check in mutant.bites]
        found += [f"*{_in(mutant.name, bitten, where)}*"] if bitten else []
    return found


def why_none(where: Mapping[str, Requirement]) -> str:
    """The reason why nothing bites it; empty if there is none, which the tests do not accept."""
    row = next(iter(where.values()))
    if row.untestable:
        return f"not judged: {row.untestable}"
    if {row.level for row in where.values()} == {"MAY"}:
        return "a MAY: its check tells a reading and never fails"
    return f"nothing can: {EXEMPT[row.check]}" if row.check in EXEMPT else ""


def _summary() -> Iterator[str]:
    every = rows()
    judged = {id: where for id, where in every.items() if any(row.check for row in where.values())}
    bitten = [id for id, where in judged.items() if killers(id, where)]
    yield f"{len(CATALOGUE)} faults and {len(MUTANTS)} mutants meet {len(every)} requirements of {len(names())} dialects:"
    yield f"{len(judged)} are judged, and {len(bitten)} of these are bitten; the others tell a reading and never fail, or say why nothing can bite them."


def _by_requirement() -> Iterator[str]:
    every = rows()
    yield "\n## What bites a requirement"
    for family in dict.fromkeys(id.partition("/")[0] for id in every):
        yield f"\n### {family}\n\n| requirement | level | of | bitten by |\n|---|---|---|---|"
        for id, where in every.items():
            if id.partition("/")[0] == family:
                levels = ", ".join(dict.fromkeys(row.level for row in where.values()))
                of = "all" if len(where) == len(names()) else ", ".join(where)
                yield f"| `{id}` | {levels} | {of} | {_cell(', '.join(killers(id, where)) or why_none(where))} |"


def _by_fault() -> Iterator[str]:
    yield "\n## What a fault breaks"
    table = kills()
    for layer, title in LAYERS.items():
        yield f"\n### {title}\n\n| fault | kind | no longer true | breaks |\n|---|---|---|---|"
        for fault in CATALOGUE.values():
            if fault.on == layer:
                said = breaks(fault.name, table[fault.name]) or "nothing: it is legal"
                yield f"| {fault.name} | {fault.kind} | {_cell('; '.join(fault.breaks))} | {_cell(said)} |"


def breaks(fault: str, table: Kills) -> str:
    """The requirements that notice that fault; empty if none does, which the tests do not accept."""
    ids = sorted({id for found in table.values() for id in found})
    every = rows()
    found = [_in(f"`{id}`", [name for name in every[id] if id in table[name]], every[id]) for id in ids]
    told = ["nothing else can be judged, as the preflight says"] if pinned()[fault].get("stopped") else []
    return "; ".join([", ".join(found)] * bool(found) + told)


def _in(name: str, some: Sequence[str], where: Iterable[str]) -> str:
    return name if set(some) == set(where) else f"{name} ({', '.join(some)})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
