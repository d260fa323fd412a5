"""``chatproof serve``: a backend for people, until they press Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..spec import BadFile, Clock, parse_clock
from .app import load, run, serving
from .backend import Backend
from .banner import banner

if TYPE_CHECKING:
    from .script.watch import Watched

USAGE = 2
"""The exit code of a bad flag, a bad file, or an address that cannot be had."""


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
    script: str | Path | None = None,
    watch: bool = False,
) -> int:
    """Serve until SIGINT or SIGTERM, then finish what is under way; the exit code, 0 or ``USAGE``.

    The banner goes to standard output once requests are accepted; the log (unless ``quiet``) and the one line of an error
    to standard error. ``script``: a file of agents, keys and plans; ``watch``: read again whenever it changes.
    """
    if watch and script is None:
        return _refuse("--watch needs a --script to watch")
    try:
        chosen = parse_clock(clock) if isinstance(clock, str) else clock
        backend = Backend(load(dialects or None), seed, variant=variant, fault=fault)
    except (BadFile, ValueError) as error:
        return _refuse(str(error))
    watched = None if script is None else _perform(backend, str(script))
    if isinstance(watched, int):
        return watched
    settings = f"seed {seed}, clock {clock if isinstance(clock, str) else type(clock).__name__}"

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with serving(backend, chosen, host=host, port=port, log=None if quiet else _log) as server:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop.set)
            gc.freeze()  # the tables stay; collections need not look at them again
            print(banner(backend.routes, server.base_url, settings, backend.script), flush=True)
            watching = asyncio.create_task(_watch(watched, backend)) if watched and watch else None
            await stop.wait()
            if watching is not None:
                watching.cancel()

    try:
        run(main)
    except (OSError, OverflowError) as error:
        return _refuse(f"cannot listen on {host}:{port}: {_reason(error)}")
    return 0


def _perform(backend: Backend, path: str) -> Watched | int:
    """Play the script in that file; its file, to be watched, or the exit code if it is a bad one."""
    from .script.watch import Watched

    watched = Watched(path, backend.routes.dialects)
    checked = watched.read()
    for line in checked.lines():
        _log(line)
    if checked.script is None:
        return _refuse(checked.summary)
    backend.perform(checked.script)
    return watched


async def _watch(watched: Watched, backend: Backend) -> None:
    from .script.watch import watch

    await watch(watched, backend.perform, _log)


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
