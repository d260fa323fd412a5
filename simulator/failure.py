"""What a test that failed wants to know of its fake backend: what was asked, what no rule fits, which faults hit."""

from __future__ import annotations

from collections.abc import Iterator

from .journal import Entry
from .sim import Sim

SHOWN = 20
"""How many requests are shown, the newest."""
LONGEST = 200
"""How many characters of a body are shown."""

Section = tuple[str, str]


def sections(sim: Sim) -> Iterator[Section]:
    """Titles and texts, masked as the journal is; sections with nothing to say are left out, but for the requests."""
    entries = sim.journal.find()
    yield "chat simulator: requests", _requests(entries)
    unmatched = "\n".join(_unmatched(entry) for entry in entries[-SHOWN:] if entry.unmatched)
    if unmatched:
        yield "chat simulator: unmatched requests, the nearest rules first", unmatched
    faults = "\n".join(_fault(one.fault.name, one.fitted, one.fired) for one in sim.in_force())
    if faults:
        yield "chat simulator: faults", faults


def _requests(entries: list[Entry]) -> str:
    before = [f"({len(entries) - SHOWN} before these)"] if len(entries) > SHOWN else []
    return "\n".join([*before, *(_request(entry) for entry in entries[-SHOWN:])]) or "no requests"


def _request(entry: Entry) -> str:
    """A line; where the answer was no success, one more with what was asked; and what a person should know."""
    lines = [str(entry)]
    if entry.body and not 200 <= entry.status < 300:
        body = entry.body if len(entry.body) <= LONGEST else f"{entry.body[:LONGEST]}…"
        lines.append(f"    asked: {body}")
    lines += [f"    warning: {warning}" for warning in entry.warnings]
    if entry.error:
        lines.append(f"    error: {entry.error.strip().splitlines()[-1]}")
    return "\n".join(lines)


def _unmatched(entry: Entry) -> str:
    return "\n".join([f"#{entry.number} {entry.agent}", *(f"    {line}" for line in entry.unmatched)])


def _fault(name: str, fitted: int, fired: int) -> str:
    hint = (
        "" if fired else "; it was aimed at no request" if not fitted else "; what it would have changed was not there"
    )
    return f"{name}: aimed at {fitted}, changed {fired}{hint}"
