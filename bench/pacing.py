"""Whether many streams at once come on time: ``python -m bench.pacing [--streams N]… [--rounds N] [--no-aimock]``.

Each stream has 200 events with 20 ms between them; all are asked for at once, on connections that stand. ``late`` is how much later
than scheduled an event comes, the schedule of a stream beginning with its earliest event: its 99th percentile over all events,
and the median over all streams at their last one (``drift``). ``begun`` is how long it took until all streams had begun. ``of due`` is
how many events a second came, of those that the schedules of all streams have, which begin when they begin. ``KB`` is what a stream takes of the server's memory. Everything the reading process is late with counts as the server's.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .candidates import GAP_MS, PACED, Candidate, candidates, open_files, started
from .listener import Heard, listen

STREAMS = (200, 1000, 2000)
LATE_MS = {200: 5.0, 1000: 10.0, 2000: 25.0}
DRIFT_MS, OF_DUE, KB = 10.0, 0.98, 20
"""What is wanted of ours: at most, at most, at least, less than."""
ROW = "{:<15}{:>9}{:>13}{:>10}{:>10}{:>10}{:>10}{:>8}"


class Measured(NamedTuple):
    """One round of one server. ``of_core``: the share of its core that it used."""

    late_ms: float
    drift_ms: float
    begun_ms: float
    of_due: float
    of_core: float
    kb: float


def measured(candidate: Candidate, streams: int) -> Measured:
    """One round, after one stream alone, so that nothing is measured that happens once."""
    with started(candidate.paced_command) as server:
        listen(server.port, candidate.paced, 1, lambda: None)
        idle, cpu = server.memory_kb(), server.cpu_s()
        most: list[int] = []
        heard = listen(server.port, candidate.paced, streams, lambda: most.append(server.memory_kb()))
        cpu = server.cpu_s() - cpu
    return figures(heard, cpu, (most[0] - idle) / streams)


def figures(heard: Sequence[Heard], cpu_s: float, kb: float) -> Measured:
    """What the times of arrival say."""
    gap = GAP_MS / 1000
    late: list[float] = []
    drift: list[float] = []
    starts: list[float] = []
    came = [one.at[:PACED] for one in heard]  # what ends a stream has no gap before it
    for times in came:
        shifted = [at - number * gap for number, at in enumerate(times)]
        start = min(shifted)
        late += [at - start for at in shifted]
        drift.append(shifted[-1] - start)
        starts.append(start)
    took = max(times[-1] for times in came) - min(times[0] for times in came)
    begun = max(starts) - min(starts)
    due = begun + gap * (min(map(len, came)) - 1)
    late_ms = sorted(late)[int(len(late) * 0.99)] * 1000
    return Measured(late_ms, statistics.median(drift) * 1000, begun * 1000, due / took, cpu_s / took, kb)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pacing", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--streams", type=int, action="append", help="how many at once; 200, 1000 and 2000 by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-aimock", action="store_true", help="do not install or start the candidate from npm")
    asked = parser.parse_args()
    open_files()
    compared = candidates(not asked.no_aimock)
    print(ROW.format("", "streams", "p99 late ms", "drift ms", "begun ms", "of due", "of core", "KB"))
    for streams in asked.streams or STREAMS:
        rounds: dict[str, list[Measured]] = {one.name: [] for one in compared}
        for _ in range(asked.rounds):
            for one in compared:
                rounds[one.name].append(measured(one, streams))
        for name, rows in rounds.items():
            row = Measured(*map(statistics.median, zip(*rows, strict=True)))
            print(_row(name, streams, row))
            if name == compared[0].name:
                print("".join(f"  not as wanted: {miss}\n" for miss in missed(row, streams)), end="", file=sys.stderr)


def missed(row: Measured, streams: int) -> list[str]:
    """What ours should be and is not."""
    wanted = LATE_MS.get(streams, max(LATE_MS.values()))
    rules: list[tuple[bool, Callable[[], str]]] = [
        (row.late_ms <= wanted, lambda: f"p99 at most {wanted} ms"),
        (row.drift_ms < DRIFT_MS, lambda: f"a drift under {DRIFT_MS} ms"),
        (streams != 1000 or row.of_due >= OF_DUE, lambda: f"at least {OF_DUE:.0%} of what is due"),
        (streams < 1000 or row.kb < KB, lambda: f"less than {KB} KB a stream"),
    ]
    return [words() for kept, words in rules if not kept]


def _row(name: str, streams: int, row: Measured) -> str:
    times = (f"{row.late_ms:.1f}", f"{row.drift_ms:.1f}", f"{row.begun_ms:.0f}")
    figures = (*times, f"{row.of_due:.1%}", f"{row.of_core:.0%}", f"{row.kb:.0f}")
    return ROW.format(name, streams, *figures)


if __name__ == "__main__":
    main()
