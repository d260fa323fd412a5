"""What a process has taken of the processor, as the system counts it."""

from __future__ import annotations

import os
from pathlib import Path


def used_s(pid: int) -> float:
    """Seconds of a core that a process has used, its threads and the system's share included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
