"""Every turn of a run as a line of JSON, written as it ends. A disk that fills up ends the file, and never the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from .turn import Turn
from .waterfall import waterfall


class TurnFile:
    """``problem``: why nothing more is written, if that came to pass. Worker n of several writes ``FILE.n``."""

    def __init__(self, path: str | None, index: int = 0, count: int = 1) -> None:
        self.problem = ""
        self._file: TextIO | None = None
        if path is not None:
            self._path = Path(path if count == 1 else f"{path}.{index}")
            self._try(lambda: setattr(self, "_file", self._path.open("w", encoding="utf-8", newline="\n")))

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
