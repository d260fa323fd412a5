"""Known failures: a list that can only shrink. What fails and is listed is excused; what is listed and passes is stale.

The verdict stays what it is; a baseline only decides the exit code. An entry is stale when it has expired, when its
requirement was seen to be kept, or when nothing of that id exists. One that could not be verified this time is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from ..spec.files import BadFile, Problem, read
from .run import Run

LIFETIME = timedelta(days=90)
"""How long an entry lives that a run wrote."""
KEPT = ("pass", "warn", "observed")


@dataclass(frozen=True)
class Entry:
    """One failure that is known, in one dialect."""

    id: str
    dialect: str
    reason: str
    expires: date


@dataclass(frozen=True)
class Comparison:
    """What a baseline makes of some runs: failures that are ``new``, entries that are ``known``, and stale ones with the reason."""

    new: tuple[str, ...]
    known: tuple[Entry, ...]
    stale: tuple[tuple[Entry, str], ...]

    @property
    def excused(self) -> bool:
        """Whether every failure was known, and every entry is still needed."""
        return not self.new and not self.stale


def load_baseline(path: Path | str) -> tuple[Entry, ...]:
    """The entries of a file; ``BadFile`` for mistakes, a day that no calendar has included."""
    rows = read(path, "baseline")["known"]
    try:
        return tuple(Entry(**{**row, "expires": date.fromisoformat(row["expires"])}) for row in rows)
    except ValueError as error:
        raise BadFile(path, [Problem(1, 1, f"expires: {error}")]) from None


def compare(entries: Sequence[Entry], runs: Sequence[Run], today: date) -> Comparison:
    """Each failure held against the entries, and each entry against the runs; dialects that did not run are left alone."""
    outcomes = {(run.dialect.name, row.requirement.id): row.outcome for run in runs for row in run.judged}
    ran = {run.dialect.name for run in runs}
    listed = {(entry.dialect, entry.id) for entry in entries}
    new = [
        f"{dialect}: {id}"
        for (dialect, id), outcome in outcomes.items()
        if outcome == "fail" and (dialect, id) not in listed
    ]
    stale: list[tuple[Entry, str]] = []
    known: list[Entry] = []
    for entry in entries:
        if entry.dialect not in ran:
            continue
        outcome = outcomes.get((entry.dialect, entry.id))
        if outcome is None:
            stale.append((entry, "no such requirement was judged"))
        elif outcome in KEPT:
            stale.append((entry, f"it is kept now ({outcome})"))
        elif entry.expires < today:
            stale.append((entry, f"it expired on {entry.expires}"))
        elif outcome == "fail":
            known.append(entry)
    return Comparison(tuple(new), tuple(known), tuple(stale))


def as_yaml(runs: Iterable[Run], today: date) -> str:
    """A baseline of everything that fails in these runs, with a reason to fill in."""
    lines = ["# Known failures. Say why each is accepted; an entry that no longer fails must go.", "known:"]
    for run in runs:
        for row in run.judged:
            if row.outcome == "fail":
                lines += [
                    f"  - id: {row.requirement.id}",
                    f"    dialect: {run.dialect.name}",
                    "    reason: to be explained",
                    f'    expires: "{today + LIFETIME}"',
                ]
    return "\n".join(lines if len(lines) > 2 else ["known: []"]) + "\n"
