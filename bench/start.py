"""How long the command line takes to say ``--help``, beside a bare import of what it stands on. Ratios; this machine is noisy.

uv run python -m bench.start
"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

ROUNDS = 15
BARE = [sys.executable, "-c", "import click, rich"]
HELP = [sys.executable, "-m", "chatproof", "--help"]


def seconds(command: list[str]) -> float:
    """One whole process, from start to end."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Run the two in turn and print the medians and their ratio."""
    taken: dict[str, list[float]] = {"import click, rich": [], "chatproof --help": []}
    for _ in range(ROUNDS):
        for name, command in zip(taken, (BARE, HELP), strict=True):
            taken[name].append(seconds(command))
    bare, ours = (median(times) for times in taken.values())
    print(f"{'':<20}  {'median ms':>9}  {'min ms':>7}  {'ratio':>5}")
    for name, times in taken.items():
        print(f"{name:<20}  {median(times) * 1e3:>9.0f}  {min(times) * 1e3:>7.0f}  {median(times) / bare:>5.2f}")
    print(f"\n--help takes {ours / bare:.2f} times the bare import")


if __name__ == "__main__":
    main()
