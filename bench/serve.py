"""What answering costs on one core, beside others: ``python -m bench.serve [--rounds N] [--seconds S] [--no-aimock]``.

The server has a core to itself and the client another; candidates take turns, each freshly started, over several rounds, and
medians count. Machines are shared and figures move: read the ratios, and the processor's time, which a busy machine
changes less than the clock's. Ours has its sessions, limits and journal on, as ``chatproof serve --quiet`` has them; the others have none.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from .candidates import TEXT, Candidate, Started, candidates, new_loop, started
from .client import Wanted, talk

CONNECTIONS = 32
WARM_S = 2.0
"""How long each is asked before it is measured: a runtime that compiles what is hot needs thousands of requests, and gains four times."""
TARGETS = {
    ("json", "plain aiohttp"): 1.0,
    ("json", "aimock"): 2.0,
    ("sse", "plain aiohttp"): 2.0,
    ("sse", "aimock"): 2.5,
}
"""How many times the other's answers a second ours should give."""
ROW = "{:<15}{:>12}{:>10}{:>10}{:>9}{:>10}{:>10}{:>9}"


class Rate(NamedTuple):
    """Answers a second, microseconds of the server's core for each, and the share of that core which it had."""

    a_second: float
    core_us: float
    of_core: float


class Measured(NamedTuple):
    """One round of one server. ``after_s``: seconds from its start until it accepted."""

    after_s: float
    json: Rate
    sse: Rate


def measured(candidate: Candidate, seconds: float) -> Measured:
    """One round."""
    with started(candidate.command) as server:
        return Measured(server.after_s, *(rate(candidate, server, stream, seconds) for stream in (False, True)))


def rate(candidate: Candidate, server: Started, stream: bool, seconds: float) -> Rate:
    """What a warm server gives; each part of a round has sessions of its own."""
    wanted = Wanted(events=candidate.events) if stream else Wanted(holds=TEXT.encode())
    done, spent = 0, 0.0
    for part, lasts in enumerate((WARM_S, seconds)):
        first = CONNECTIONS * (2 * stream + part)
        ask = partial(_of, candidate, first, stream)
        with asyncio.Runner(loop_factory=new_loop()) as runner:
            before = server.cpu_s()
            done = runner.run(talk(server.port, ask, wanted, CONNECTIONS, lasts))
            spent = server.cpu_s() - before
    return Rate(done / seconds, spent / max(1, done) * 1e6, spent / seconds)


def _of(candidate: Candidate, first: int, stream: bool, client: int, turn: int) -> bytes:
    return candidate.ask(first + client, turn, stream)


def medians(rounds: Sequence[Measured]) -> Measured:
    """The median of each figure."""
    columns = list(zip(*rounds, strict=True))
    json, sse = (Rate(*map(statistics.median, zip(*column, strict=True))) for column in columns[1:])
    return Measured(statistics.median(columns[0]), json, sse)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.serve", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--no-aimock", action="store_true", help="do not install or start the candidate from npm")
    asked = parser.parse_args()
    compared = candidates(not asked.no_aimock)
    rounds: dict[str, list[Measured]] = {one.name: [] for one in compared}
    for _ in range(asked.rounds):
        for one in compared:
            rounds[one.name].append(measured(one, asked.seconds))
    table = {name: medians(rows) for name, rows in rounds.items()}
    print(ROW.format("", "accepts ms", "json/s", "core us", "of core", "sse/s", "core us", "of core"))
    for name, row in table.items():
        print(ROW.format(name, f"{row.after_s * 1000:.0f}", *_shown(row.json), *_shown(row.sse)))
    print()
    us = table[compared[0].name]
    for (what, name), wanted in TARGETS.items():
        if name in table:
            ours, theirs = getattr(us, what), getattr(table[name], what)
            by_clock, by_core = ours.a_second / theirs.a_second, theirs.core_us / ours.core_us
            print(f"{what:<5}{by_clock:.2f} times {name} by the clock, {by_core:.2f} by the core; wanted {wanted}")


def _shown(row: Rate) -> tuple[str, ...]:
    return f"{row.a_second:.0f}", f"{row.core_us:.0f}", f"{row.of_core:.0%}"


if __name__ == "__main__":
    main()
