"""Every turn of a run as a line of JSON, written as it ends. A disk that fills up ends the file, and never the run."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from .turn import Turn
from .waterfall import waterfall


def part_of(path: str, index: int, count: int) -> Path:
    """Where one of several workers writes: ``FILE.n``."""
    return Path(path if count == 1 else f"{path}.{index}")


def forget(path: str, count: int) -> None:
    """Remove what an earlier run may have left of its parts."""
    for index in range(count):
        part_of(path, index, count).unlink(missing_ok=True)


def join(path: str, count: int) -> str:
    """Make one file of those of ``count`` workers, by the time at which turns ended, and remove them; why not, if it cannot be done.

    A line that a lost worker began is left out. Where the whole cannot be written the parts are kept.
    """
    parts = [part for part in (part_of(path, index, count) for index in range(count)) if part.exists()]
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(part.open(encoding="utf-8")) for part in parts]
            whole = stack.enter_context(Path(path).open("w", encoding="utf-8", newline="\n"))
            whole.writelines(heapq.merge(*(filter(_whole, file) for file in files), key=_ended))
        for part in parts:
            part.unlink()
    except OSError as error:
        return f"{path}: cannot be written: {error.strerror or error}; each worker's turns are in {path}.0 and so on"
    return ""


def _whole(line: str) -> bool:
    return line.endswith("\n")


def _ended(line: str) -> float:
    at: float = json.loads(line)["at_s"]
    return at


class TurnFile:
    """``problem``: why nothing more is written, if that came to pass. One of several workers writes a part, that ``join`` takes."""

    def __init__(self, path: str | None, index: int = 0, count: int = 1) -> None:
        self.problem = ""
        self._file: TextIO | None = None
        if path is not None:
            self._path = part_of(path, index, count)
            self._try(self._open)

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("w", encoding="utf-8", newline="\n")

    def write(self, turn: Turn, at_s: float) -> None:
        """One turn."""
        file = self._file
        if file is not None:
            self._try(lambda: file.write(json.dumps(waterfall(turn, at_s)) + "\n"))

    def close(self) -> None:
        """What is still in memory is written."""
        if self._file is not None:
            self._try(self._file.close)
            self._file = None

    def _try(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            self.problem = f"{self._path}: cannot be written: {error.strerror or error}"
            self._file = None
