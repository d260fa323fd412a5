"""How many turns a second one load process takes, beside Locust's own users doing the same; two processes; and the error of its times.

Run as ``python -m bench.load [--rounds N] [--only throughput|processes|times|freeze]``. Targets answer with prebuilt bytes, so that the generator is what is
measured, on a core of its own where there are two; the candidates take turns, so that a busy machine harms all alike. Prints tables.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from typing import NamedTuple

from .canned import EVENTS, Target, canned, lean
from .freeze import freeze
from .generators import GENERATORS, USERS
from .processor import used_s

PARTS = ("throughput", "processes", "times", "freeze")
KINDS = ("json", "stream")
LONG = 200
"""Texts of a stream as long as a page."""
CROWD = 64
"""Users beside whom no process waits for the target, which answers many at once."""
STEADY = "FastHttpUser"
"""What the others are held against."""


def cores() -> tuple[int | None, int | None]:
    """One for the target and one for who asks, where there are two."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def measured(name: str, port: int, kind: str, core: int | None, *processes_and_users: int) -> dict[str, float]:
    """One generator in a process of its own."""
    command = [sys.executable, "-m", "bench.generators", name, str(port), kind, *map(str, processes_and_users)]
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    done = subprocess.run([*pinned, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def throughput(rounds: int) -> None:
    target, client = cores()
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with canned(target) as at:
        for _ in range(rounds):
            for kind in KINDS:
                for name in GENERATORS:
                    if kind == "stream" or name != "FastHttpUser.iter_lines":
                        found.setdefault((name, kind), []).append(measured(name, at.port, kind, client))
    print(f"one process, {USERS} users, medians of {rounds} rounds; a stream has {len(EVENTS)} events")
    for kind in KINDS:
        rows = {name: rows for (name, one), rows in found.items() if one == kind}
        print(f"\n{kind:<26}{'turns/s':>9}{'events/s':>11}{'us/turn':>9}{'failed':>8}{f'x {STEADY}':>16}")
        for name, row in rows.items():
            turns, us = (statistics.median(each[one] for each in row) for one in ("turns", "us"))
            pairs = [each["turns"] / max(base["turns"], 1) for each, base in zip(row, rows[STEADY], strict=True)]
            events = turns * (len(EVENTS) if kind == "stream" else 0)
            failed = sum(each["failed"] for each in row)
            print(f"{name:<26}{turns:>9.0f}{events:>11.0f}{us:>9.0f}{failed:>8.0f}{statistics.median(pairs):>16.2f}")


def processes(rounds: int) -> None:
    """One and two of ours. All share the processors, so what the target takes bounds what two can do: the target is the cheapest there is."""
    cores = len(os.sched_getaffinity(0))
    print(f"\ntwo processes beside one, {CROWD} users; {cores} processors for them and the target")
    with ExitStack() as stack:
        try:
            short, long, what = stack.enter_context(lean()), stack.enter_context(lean(LONG)), "in C"
        except FileNotFoundError:
            short, long = (stack.enter_context(canned(None, texts)) for texts in (len(EVENTS) - 1, LONG))
            what = "in Python"
        for kind, target, where in (*((one, short, what) for one in KINDS), ("stream", long, f"of {LONG} texts")):
            rows = [[shared(target, kind, count) for count in (1, 2)] for _ in range(rounds)]
            one, two = (
                Shared(*map(statistics.median, zip(*column, strict=True))) for column in zip(*rows, strict=True)
            )
            ratio = statistics.median(row[1].turns / max(row[0].turns, 1) for row in rows)
            most = min(2.0, cores * 1e6 / (two.us + two.target_us) / max(one.turns, 1))
            print(f"{kind + ' ' + where:<22}{one.turns:>8.0f}/s {two.turns:>8.0f}/s   {ratio:.2f} times", end="")
            print(
                f", of {most:.2f} that the processors allow; us a turn: {one.us:.0f}, {two.us:.0f}, target {two.target_us:.0f}"
            )


class Shared(NamedTuple):
    """Turns a second, microseconds of the processor for each, and those of the target."""

    turns: float
    us: float
    target_us: float


def shared(target: Target, kind: str, count: int) -> Shared:
    """So many processes of ours."""
    before = used_s(target.pid)
    found = measured("chatproof", target.port, kind, None, count, CROWD)
    return Shared(found["turns"], found["us"], (used_s(target.pid) - before) / max(found["all"], 1) * 1e6)


def times() -> None:
    """The simulator with known pauses, by streams at once."""
    print("\nthe error of times, by streams at once", flush=True)
    environment = {**os.environ, "XDG_CACHE_HOME": tempfile.gettempdir()}
    subprocess.run([sys.executable, "-m", "chatproof", "load", "calibrate"], check=False, env=environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=PARTS, action="append")
    asked = parser.parse_args()
    for part in asked.only or PARTS:
        if part == "throughput":
            throughput(asked.rounds)
        elif part == "processes":
            processes(asked.rounds)
        elif part == "times":
            times()
        else:
            freeze()


if __name__ == "__main__":
    main()
