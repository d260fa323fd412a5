"""What a whole ``verify`` costs against the fake backend, and how much of it is the judge: ``python -m bench.verify``.

Not paced; the backend runs in a process of its own. ``wall`` and ``core`` are seconds of the clock and of the judge's processor.
``judging`` is the part of ``core`` that begins when everything is recorded: reading the bytes and checking them; the rest composes,
sends, receives and looks at what scenarios need to go on. What is left of ``wall`` is waiting: for the backend, whose paced agent
takes its time, and for places and windows to come back.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from chatproof.conformance.judge import Evidence
from chatproof.conformance.profile import profile
from chatproof.conformance.run import Options, Run, finish, verify
from chatproof.conformance.transcript import Transcript
from chatproof.simulator.population import profile as population
from chatproof.spec import dialect, names, requirements

ROW = "{:<12}{:>10}{:>10}{:>10}{:>10}{:>12}{:>10}"
BACKEND = """
import sys
from chatproof.simulator.app import running
with running() as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def backend() -> Iterator[str]:
    """The base URL of a fake backend that ends with the block."""
    command = [sys.executable, "-c", BACKEND]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


def cost(name: str, base_url: str) -> tuple[float, ...]:
    """Requests of one verification, and its seconds: wall, core, judging."""
    told = {**population(dialect(name)), "base_url": f"{base_url}/{name}", "dialect": name, "budget": {"pace": "off"}}
    wall, core = time.perf_counter(), time.process_time()
    run = verify(profile(told), dialect(name), Options(seed=1))
    wall, core = time.perf_counter() - wall, time.process_time() - core
    if run.verdict != "conformant":
        raise SystemExit(f"{name}: {run.verdict}: {run.reason}")
    return run.facts.requests, wall, core, judging(run)


def judging(run: Run) -> float:
    """Seconds of judging once more what was recorded, from exchanges that nobody has read yet."""
    old, rows = run.evidence, requirements(run.dialect)
    fresh = [Transcript(one.scenario, tuple(map(replace, one.exchanges))) for one in old.transcripts]
    began = time.process_time()
    finish(rows, Evidence(old.dialect, old.profile, fresh, old.absent), run.facts)
    return time.process_time() - began


def main() -> None:
    print(ROW.format("dialect", "requests", "wall s", "core s", "of wall", "judging s", "of wall"))
    with backend() as base_url:
        costs = {name: cost(name, base_url) for name in names()}
    costs["all"] = tuple(map(sum, zip(*costs.values(), strict=True)))
    for name, (requests, wall, core, judged) in costs.items():
        print(
            ROW.format(
                name,
                requests,
                f"{wall:.2f}",
                f"{core:.2f}",
                f"{core / wall:.0%}",
                f"{judged:.2f}",
                f"{judged / wall:.0%}",
            )
        )


if __name__ == "__main__":
    main()
