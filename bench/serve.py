"""What answering costs on one core, beside others: ``python -m bench.serve [--rounds N] [--seconds S] [--no-aimock]``.

The server has a core to itself and the client another; candidates take turns, each freshly started, over several rounds, and
medians count. Machines are shared and figures move: read the ratios, and the processor's time, which a busy machine
changes less than the clock's. Ours has its sessions, limits and journal on, as ``chatproof serve --quiet`` has them; the others have none.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from typing import NamedTuple

from .candidates import TEXT, Candidate, Started, candidates, started
from .client import Wanted, talk

CONNECTIONS = 32
WARM_S = 0.3
TARGETS = {
    ("json", "plain aiohttp"): 1.0,
    ("json", "aimock"): 2.0,
    ("sse", "plain aiohttp"): 2.0,
    ("sse", "aimock"): 2.5,
}
"""How many times the other's answers a second ours should give."""
ROW = "{:<15}{:>12}{:>10}{:>10}{:>9}{:>10}{:>10}{:>9}"


class Measured(NamedTuple):
    """One round of one server. ``us``: microseconds of its core for an answer; ``busy``: how much of the core it had."""

    after_s: float
    json: float
    json_us: float
    json_busy: float
    sse: float
    sse_us: float
    sse_busy: float


def measured(candidate: Candidate, seconds: float) -> Measured:
    """One round."""
    with started(candidate.command) as server:
        return Measured(
            server.after_s, *rate(candidate, server, False, seconds), *rate(candidate, server, True, seconds)
        )


def rate(candidate: Candidate, server: Started, stream: bool, seconds: float) -> tuple[float, float, float]:
    """Answers a second, microseconds of the server's core for each, and how busy that core was."""
    wanted = Wanted(events=candidate.events) if stream else Wanted(holds=TEXT.encode())
    # every round is of other clients, with other sessions
    first = (
        (lambda n, turn: candidate.ask(n, turn, stream))
        if stream
        else (lambda n, turn: candidate.ask(n + 1000, turn, stream))
    )
    run(server, first, wanted, WARM_S)
    before = server.cpu_s()
    done = run(server, lambda n, turn: candidate.ask(n + 2000 + stream * 1000, turn, stream), wanted, seconds)
    spent = server.cpu_s() - before
    return done / seconds, spent / done * 1e6, spent / seconds


def run(server, ask, wanted, seconds):
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(talk(server.port, ask, wanted, CONNECTIONS, seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--no-aimock", action="store_true", help="do not install or start the candidate from npm")
    asked = parser.parse_args()
    compared = candidates(not asked.no_aimock)
    rounds = {one.name: [] for one in compared}
    for _ in range(asked.rounds):
        for one in compared:
            rounds[one.name].append(measured(one, asked.seconds))
    table = {name: Measured(*map(statistics.median, zip(*rows, strict=True))) for name, rows in rounds.items()}
    print(ROW.format("", "accepts ms", "json/s", "core us", "of core", "sse/s", "core us", "of core"))
    for name, row in table.items():
        print(
            ROW.format(
                name,
                f"{row.after_s * 1000:.0f}",
                f"{row.json:.0f}",
                f"{row.json_us:.0f}",
                f"{row.json_busy:.0%}",
                f"{row.sse:.0f}",
                f"{row.sse_us:.0f}",
                f"{row.sse_busy:.0%}",
            )
        )
    us = next(iter(table.values()))
    print()
    for (what, name), target in TARGETS.items():
        if name in table:
            them = table[name]
            print(
                f"{what}: {getattr(us, what) / getattr(them, what):.2f} times {name} by the clock, {getattr(them, what + '_us') / getattr(us, what + '_us'):.2f} by the core; wanted {target}"
            )


if __name__ == "__main__":
    main()
