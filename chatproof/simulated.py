"""The simulator as a process of its own, for a load that has no target: its work must not be the generator's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .inputs import fail
from .spec import Dialect, names


@contextmanager
def simulated(dialect: Dialect, more: Sequence[str] = (), fault: str | None = None) -> Iterator[str]:
    """The base URL of one dialect, served on a free port for as long as the block lasts. ``more``: further flags of ``serve``."""
    name = dialect.name if dialect.name in names() else str(Path(dialect.folder))
    command = [
        sys.executable,
        "-m",
        "chatproof",
        "serve",
        "--port",
        "0",
        "--quiet",
        "--journal",
        "0",
        "--dialect",
        name,
        *more,
    ]
    if fault:
        command += ["--fault", fault]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, start_new_session=True
    ) as server:
        try:
            assert server.stdout is not None
            first = server.stdout.readline()
            url = next((word for word in first.split() if word.startswith("http://")), None)
            if url is None:
                fail("the simulator did not start")
            yield url
        finally:
            server.terminate()
