"""``chatproof serve``: a backend for people, until they press Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..spec import BadFile, Clock, parse_clock
from . import lines, pace_words
from .app import Line, Running, is_loopback, load, run, serving
from .backend import Backend
from .banner import banner
from .course import PLAIN, Course, Logs
from .journal import KEPT_ENTRIES, Journal
from .journal_file import JournalFile
from .latency import Latency
from .pace_values import BadPace
from .rulings import from_words

if TYPE_CHECKING:
    from .script.watch import Watched

GARBAGE, OLDER = 20_000, 100
"""Objects that may gather before the collector looks for circles among them, and after how many looks it looks at older ones too."""
USAGE = 2
"""The exit code of a bad flag, a bad file, or an address that cannot be had."""
LOOPBACK = "127.0.0.1"
SHORTEST_TOKEN = 8
LINES: dict[str, Line] = {"text": lines.plain, "json": lines.machine}


def calm() -> None:
    """Before a process serves: its tables stay, and little of a request is ever in a circle, so the garbage collector has little to look for.

    A look at everything, with a thousand streams under way, holds them all up for 60 ms.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE, OLDER, OLDER)


def serve(
    dialects: Sequence[str | Path] | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    seed: int = 0,
    clock: str | Clock = "real",
    *,
    variant: str | None = None,
    fault: str | Sequence[str] | None = None,
    magic: bool = True,
    quiet: bool = False,
    script: str | Path | None = None,
    watch: bool = False,
    journal: int = KEPT_ENTRIES,
    journal_file: Path | None = None,
    log_format: str = "text",
    control: str | None = None,
    control_token: str | None = None,
    latency: str | None = None,
    ruling: Sequence[str] = (),
    limits: bool = True,
    decisions: Path | None = None,
    replay: Path | None = None,
    max_connections: int | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM, then finish what is under way; the exit code, 0 or ``USAGE``.

    The banner goes to standard output once requests are accepted; the log (unless ``quiet``) and the one line of an error
    to standard error. ``fault``: one or several, in words; ``magic``: whether requests may ask for them. ``script``: a file of agents, keys and plans; ``watch``: read again whenever it changes. ``journal``: how
    many requests are kept in memory; ``journal_file``: where all of them are appended. ``control``: ``[HOST:]PORT`` of the control
    API, loopback by default; it needs ``control_token`` on any other address, and one is made up if none is given. ``ruling``: readings of
    open questions, as ``AMB-09=created``; ``limits``: without, nobody is held to a plan or a balance. ``latency``: how long agents take
    that have none of their own, in the words of ``pace_words``. ``decisions``: where all that is decided is written; ``replay``: such a
    file, to answer as it has it. ``max_connections``: as many as the system allows, if not said.
    """
    if watch and script is None:
        return _refuse("--watch needs a --script to watch")
    kept, logs = Journal(journal), Logs(decisions, replay)
    try:
        logs.check(latency, "--")
        chosen = parse_clock(clock) if isinstance(clock, str) else clock
        backend = Backend(
            load(dialects or None),
            seed,
            variant=variant,
            fault=fault,
            latency=_latency(latency),
            rulings=from_words(tuple(ruling)),
            limits=limits,
            magic=magic,
        )
        gate = _gate(control, control_token) if control is not None else None
    except (BadFile, ValueError) as error:
        return _refuse(str(error))
    for warning in backend.armoury.meetings():
        _log(f"warning: {warning}")
    watched = None if script is None else _perform(backend, str(script))
    if isinstance(watched, int):
        return watched
    settings = f"seed {seed}, clock {clock if isinstance(clock, str) else type(clock).__name__}"
    settings += f", latency {latency}" if latency else ""
    settings += f", replaying {replay}" if replay else ""
    course: Course = PLAIN

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        log = None if quiet else _log
        line = LINES[log_format]
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(
                serving(
                    backend,
                    chosen,
                    host=host,
                    port=port,
                    log=log,
                    line=line,
                    journal=kept,
                    max_connections=max_connections,
                    course=course,
                )
            )
            told = await stack.enter_async_context(_controlled(server, gate)) if gate else ""
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop.set)
            calm()
            print(banner(backend, server.base_url, settings, told), flush=True)
            if not is_loopback(host):
                _log(f"warning: {host} can be reached from other machines, and the keys are no secret")
            watching = asyncio.create_task(_watch(watched, backend)) if watched and watch else None
            await stop.wait()
            if watching is not None:
                watching.cancel()

    with ExitStack() as open_files:
        if journal_file is not None:
            try:
                kept.heard.append(open_files.enter_context(JournalFile(journal_file, _log)))
            except OSError as error:
                return _refuse(f"--journal-file: {journal_file}: {_reason(error)}")
        try:
            opened = logs.opened(open_files, clock, _log)
            backend.latency = opened.get("latency", backend.latency)
            course = opened["course"](backend) if opened else PLAIN
        except BadFile as error:
            return _refuse(str(error))
        except OSError as error:
            return _refuse(f"--decisions: {decisions}: {_reason(error)}")
        try:
            run(main)
        except _NoControl as error:
            return _refuse(f"--control: cannot listen on {control}: {_reason(error.why)}")
        except (OSError, OverflowError) as error:
            return _refuse(f"cannot listen on {host}:{port}: {_reason(error)}")
    return 0


def _latency(words: str | None) -> Latency | None:
    """``ValueError`` names the flag."""
    try:
        return None if words is None else pace_words.latency(words)
    except BadPace as error:
        raise ValueError(f"--latency: {error}") from None


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


@dataclass(frozen=True)
class _Gate:
    host: str
    port: int
    token: str | None


class _NoControl(Exception):
    def __init__(self, why: OSError | OverflowError) -> None:
        super().__init__(str(why))
        self.why = why


def _gate(address: str, token: str | None) -> _Gate:
    """Where the control API listens, and with which token; ``ValueError``."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or LOOPBACK
    if not (port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise ValueError(f"--control: expected a port or HOST:PORT, got {address!r}")
    if token is not None and not (
        token.isascii() and token.isprintable() and len(token) >= SHORTEST_TOKEN and " " not in token
    ):
        raise ValueError(f"--control-token: expected at least {SHORTEST_TOKEN} ASCII characters without a space")
    return _Gate(host, int(port), token if token is not None or is_loopback(host) else secrets.token_urlsafe(18))


@asynccontextmanager
async def _controlled(server: Running, gate: _Gate) -> AsyncIterator[str]:
    """The control API beside the backend; the line of the banner that says where."""
    from .control.server import controlling
    from .control.world import World
    from .metrics import Metrics

    metrics = Metrics()
    server.journal.heard.append(metrics)
    async with AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(
                controlling(World(server, metrics, _log), gate.host, gate.port, gate.token)
            )
        except (OSError, OverflowError) as error:
            raise _NoControl(error) from None
        yield f"{url} (token {gate.token})" if gate.token else url


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
