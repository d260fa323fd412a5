"""What the system's scheduler gave this thread, and what it kept from it: times come late where others hold the processor."""

from __future__ import annotations

from pathlib import Path

SCHEDSTAT = Path("/proc/thread-self/schedstat")
"""Nanoseconds on a processor, and ready to run without one (Linux, proc(5))."""


def waited_s(file: Path = SCHEDSTAT) -> float | None:
    """Seconds for which this thread could have run and got no processor; ``None`` where the system does not say."""
    try:
        return int(file.read_text("ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None
