"""What the system's scheduler kept from this thread: times come late where others hold the processor."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

SCHEDSTAT = Path("/proc/thread-self/schedstat")
"""Nanoseconds on a processor, nanoseconds ready to run without one, and how often it was given one (Linux, proc(5))."""


class Kept(NamedTuple):
    """``seconds`` for which a thread could have run and got no processor, and how many ``times`` it then got one."""

    seconds: float
    times: int

    def since(self, before: Kept) -> Kept:
        """What came after ``before``."""
        return Kept(round(self.seconds - before.seconds, 6), self.times - before.times)


def kept_waiting(file: Path = SCHEDSTAT) -> Kept | None:
    """Of this thread so far; ``None`` where the system does not say."""
    try:
        _, waited_ns, times = file.read_text("ascii").split()
        return Kept(int(waited_ns) / 1e9, int(times))
    except (OSError, ValueError):
        return None


class Used:
    """What this process has used of its processors since this was made, and what its thread was kept from."""

    def __init__(self) -> None:
        self._cpu_s, self._kept = time.process_time(), kept_waiting()

    def so_far(self) -> tuple[list[float], list[Kept]]:
        """Seconds, and the wait where the system says it: each in a row, as a ledger has one for each process."""
        kept = kept_waiting()
        waited = [] if kept is None or self._kept is None else [kept.since(self._kept)]
        return [round(time.process_time() - self._cpu_s, 3)], waited
