"""How many recorded exchanges a second are judged again without a network: ``python -m bench.judge [--profile]``.

Each packaged dialect is verified once against the fake backend; what was recorded is then read from its file and judged anew,
nothing kept from one round to the next. The best round counts, in seconds of a core, so that a busy machine harms little.
``--profile`` shows where the time of judging goes.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from chatproof.conformance.profile import profile
from chatproof.conformance.rejudge import judge_again, record
from chatproof.conformance.run import Options, Run, verify
from chatproof.conformance.transcript import Transcript, about, load
from chatproof.simulator.app import running
from chatproof.simulator.population import profile as population
from chatproof.spec import dialect, names

ROUNDS = 5
LONG = "long"
TARGET = 2_000
"""Exchanges a second that judging should reach."""
ROW = "{:<12}{:>10}{:>10}{:>12}{:>12}{:>14}{:>14}"


def recorded(folder: Path) -> dict[str, Path]:
    """A transcript file of each packaged dialect, fresh from a run that is not paced."""
    files = {}
    with running() as server:
        for name in names():
            told = {
                **population(dialect(name)),
                "base_url": server.url(name),
                "dialect": name,
                "budget": {"pace": "off"},
            }
            files[name] = folder / f"{name}.jsonl"
            record(verify(profile(told), dialect(name), Options(seed=1)), files[name])
    return files


def again(path: Path, transcripts: list[Transcript]) -> Run:
    return judge_again(about(path), transcripts, Options())


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest round."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def ordinary(transcripts: list[Transcript]) -> list[Transcript]:
    """Without the exchanges of the agent whose replies have thousands of events: a few that hold most of the bytes."""
    kept = (tuple(one for one in part.exchanges if one.asked.get("agent") != LONG) for part in transcripts)
    return [Transcript(part.scenario, exchanges) for part, exchanges in zip(transcripts, kept, strict=True)]


def judging(path: Path, of: Callable[[list[Transcript]], list[Transcript]] = lambda whole: whole) -> float:
    """Seconds of judging alone, in the fastest of the rounds; each gets exchanges that nobody has read yet."""
    times = []
    for _ in range(ROUNDS):
        fresh = of(load(path))
        began = time.process_time()
        again(path, fresh)
        times.append(time.process_time() - began)
    return min(times)


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = recorded(Path(folder))
        print(ROW.format("dialect", "exchanges", "KiB", "load ms", "judge ms", "judged/s", "with load/s"))
        counts, loads, judges = [], [], []
        for name, path in files.items():
            counts.append(sum(len(transcript.exchanges) for transcript in load(path)))
            loads.append(best(partial(load, path)))
            judges.append(judging(path))
            print(_row(name, counts[-1], path.stat().st_size, loads[-1], judges[-1]))
        size = sum(path.stat().st_size for path in files.values())
        print(_row("all", sum(counts), size, sum(loads), sum(judges)))
        few = sum(len(part.exchanges) for path in files.values() for part in ordinary(load(path)))
        rate, short = sum(counts) / sum(judges), few / sum(judging(path, ordinary) for path in files.values())
        print(
            f"\n{rate / TARGET:.2f} times the {TARGET:,} exchanges a second that are wanted; {short:,.0f}/s, {short / TARGET:.2f} times"
        )
        print(f"without the {sum(counts) - few} exchanges whose streams have thousands of events")
        if "--profile" in arguments:
            _profile(files)


def _row(name: str, count: int, size: int, load_s: float, judge_s: float) -> str:
    rates = (f"{count / judge_s:,.0f}", f"{count / (load_s + judge_s):,.0f}")
    return ROW.format(name, count, size // 1024, f"{load_s * 1000:.0f}", f"{judge_s * 1000:.0f}", *rates)


def _profile(files: dict[str, Path]) -> None:
    profiler = cProfile.Profile()
    for path in files.values():
        fresh = load(path)
        profiler.enable()
        again(path, fresh)
        profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main(sys.argv[1:])
