"""``chatproof serve``: a backend for people, until they press Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ..spec import BadFile, Clock, parse_clock
from . import lines
from .app import Line, load, run, serving
from .backend import Backend
from .banner import banner
from .journal import KEPT_ENTRIES, Journal
from .journal_file import JournalFile

USAGE = 2
"""The exit code of a bad flag, a bad file, or an address that cannot be had."""
LINES: dict[str, Line] = {"text": lines.plain, "json": lines.machine}


def serve(
    dialects: Sequence[str | Path] | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    seed: int = 0,
    clock: str | Clock = "real",
    *,
    variant: str | None = None,
    fault: str | None = None,
    quiet: bool = False,
    journal: int = KEPT_ENTRIES,
    journal_file: Path | None = None,
    log_format: str = "text",
) -> int:
    """Serve until SIGINT or SIGTERM, then finish what is under way; the exit code, 0 or ``USAGE``.

    The banner goes to standard output once requests are accepted; the log (unless ``quiet``) and the one line of an error
    to standard error. ``journal``: how many requests are kept in memory; ``journal_file``: where all of them are appended.
    """
    kept = Journal(journal)
    try:
        chosen = parse_clock(clock) if isinstance(clock, str) else clock
        backend = Backend(load(dialects or None), seed, variant=variant, fault=fault)
    except (BadFile, ValueError) as error:
        return _refuse(str(error))
    settings = f"seed {seed}, clock {clock if isinstance(clock, str) else type(clock).__name__}"

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        log = None if quiet else _log
        line = LINES[log_format]
        async with serving(backend, chosen, host=host, port=port, log=log, line=line, journal=kept) as server:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop.set)
            gc.freeze()  # the tables stay; collections need not look at them again
            print(banner(backend.routes, server.base_url, settings), flush=True)
            await stop.wait()

    with ExitStack() as open_files:
        if journal_file is not None:
            try:
                kept.heard.append(open_files.enter_context(JournalFile(journal_file, _log)))
            except OSError as error:
                return _refuse(f"--journal-file: {journal_file}: {_reason(error)}")
        try:
            run(main)
        except (OSError, OverflowError) as error:
            return _refuse(f"cannot listen on {host}:{port}: {_reason(error)}")
    return 0


def _refuse(message: str) -> int:
    _log(f"chatproof serve: {message}")
    return USAGE


def _reason(error: OSError | OverflowError) -> str:
    """The system's words alone: asyncio wraps them in a sentence of its own."""
    if not isinstance(error, OSError) or error.errno is None:
        return str(error)
    return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)


def _log(line: str) -> None:
    """A reader of the log that has gone away must not stop the backend."""
    try:
        print(line, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return
