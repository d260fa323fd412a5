"""A script that is read again when its file changes. A bad one changes nothing, and says so."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...spec import Dialect
from .model import Script
from .reading import Checked, check

POLL_S = 0.5
"""How often the file is looked at, in real seconds."""

Stamp = tuple[int, int, int] | None


@dataclass
class Watched:
    """A file, and what it looked like when it was last read."""

    path: str
    dialects: Sequence[Dialect]
    seen: Stamp = None

    def read(self) -> Checked:
        """Read it now."""
        self.seen = _stamp(self.path)
        return check(self.path, self.dialects)

    def look(self) -> Checked | None:
        """Read it if it has changed."""
        return self.read() if _stamp(self.path) != self.seen else None


def reload(checked: Checked, perform: Callable[[Script], None], log: Callable[[str], None]) -> None:
    """Play what was read, or say what is wrong with it."""
    for line in checked.lines():
        log(line)
    if checked.script is None:
        log(f"{checked.summary}; the script that was read before is kept")
        return
    perform(checked.script)
    log(f"{checked.summary}; read again, sessions under way finish on the script they began")


async def watch(watched: Watched, perform: Callable[[Script], None], log: Callable[[str], None]) -> None:
    """Reload whenever the file changes, until cancelled. Reading happens beside the loop: the backend goes on answering."""
    while True:
        await asyncio.sleep(POLL_S)
        checked = await asyncio.to_thread(watched.look)
        if checked is not None:
            reload(checked, perform, log)


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
