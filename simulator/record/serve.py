"""``chatproof serve --record URL --out FILE``: the proxy for people, until they press Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp.web_runner import ServerRunner, TCPSite
from aiohttp.web_server import Server

from ...spec import BadFile
from .. import lines
from ..app import BACKLOG, DRAIN_S, Line, address_url, is_loopback, load, run, silent
from ..front import Log
from ..journal import KEPT_ENTRIES, Journal
from ..journal_file import JournalFile
from ..routes import Routes
from .proxy import Proxy, client
from .recorder import Recorder, write

USAGE, INCOMPLETE = 2, 3
CHECKED = 300
"""How many exchanges a script may have to be checked before the program ends; more take too long for somebody who waits."""
SCHEMES = ("http", "https")
LINES: dict[str, Line] = {"text": lines.plain, "json": lines.machine}


@dataclass
class Recording:
    """A proxy that serves. ``base_url``: where clients are pointed instead of at the server."""

    base_url: str
    recorder: Recorder
    journal: Journal
    out: Path
    log: Log
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def write_on(self) -> None:
        """Write the script after each exchange, until all is over: beside the loop, which goes on passing bytes at their time.

        Exchanges that end meanwhile are written together; a script that takes long to write is written half of the time at most.
        """
        while not self.over.is_set():
            await self.changed.wait()
            self.changed.clear()
            began = time.monotonic()
            await asyncio.to_thread(self.write, self.recorder.copy())
            with suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), time.monotonic() - began)

    async def finish(self, writing: asyncio.Task[None]) -> None:
        """Let ``write_on`` come to its end, and write whatever has ended since."""
        self.over.set()
        self.changed.set()
        await writing
        self.write(self.recorder)

    def write(self, recorder: Recorder) -> None:
        """Write the script of that recorder; nothing, as long as nothing can be said in one."""
        try:
            text = recorder.text(self.out.name)
            if text:
                write(self.out, text)
        except OSError as error:
            self.log(f"--out: {self.out}: cannot be written: {error.strerror or error}")
        except Exception:  # noqa: BLE001  (a fault of ours must not end the recording)
            self.log(f"--out: {self.out}: cannot be written\n{traceback.format_exc()}")


@asynccontextmanager
async def recording(
    url: str,
    out: Path,
    routes: Routes,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    journal: Journal | None = None,
    log: Log | None = None,
) -> AsyncIterator[Recording]:
    """Record on the running loop until the block ends, and write the whole once more then. ``OSError`` for an address."""
    kept = Journal() if journal is None else journal
    recorder = Recorder(routes, url)
    changed = asyncio.Event()
    async with client() as session:
        proxy = Proxy(url, session, kept, recorder, changed.set)
        server = Server(proxy, access_log=None, logger=silent(), handler_cancellation=True, auto_decompress=False)
        runner = ServerRunner(server, shutdown_timeout=DRAIN_S / 2)
        await runner.setup()
        made = None
        try:
            await TCPSite(runner, host, port, backlog=BACKLOG).start()
            made = Recording(address_url(runner.addresses[0]), recorder, kept, out, log or _log, changed)
            writing = asyncio.create_task(made.write_on())
            yield made
        finally:
            proxy.stopping = True
            await runner.cleanup()
            if made is not None:
                await made.finish(writing)


def record(
    url: str,
    out: Path,
    dialects: Sequence[str | Path] | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    journal: int = KEPT_ENTRIES,
    journal_file: Path | None = None,
    log_format: str = "text",
    quiet: bool = False,
) -> int:
    """Record until SIGINT or SIGTERM; the exit code: 0, ``INCOMPLETE`` where nothing was recorded, or ``USAGE``."""
    try:
        source = origin(url)
        routes = Routes(load(dialects or None))
    except (BadFile, ValueError) as error:
        return _refuse(str(error))
    problem = _unfit(out)
    if problem:
        return _refuse(f"--out: {out}: {problem}")
    kept = Journal(journal)
    if not quiet:
        kept.heard.append(lambda entry: _log(LINES[log_format](entry)))
    code = INCOMPLETE

    async def main() -> None:
        nonlocal code
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with recording(source, out, routes, host=host, port=port, journal=kept) as made:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop.set)
            print(_banner(made, routes), flush=True)
            if not is_loopback(host):
                _log(f"warning: {host} can be reached from other machines, and whoever reaches it reaches the server")
            await stop.wait()
        code = _summary(made, routes)

    with ExitStack() as files:
        if journal_file is not None:
            try:
                kept.heard.append(files.enter_context(JournalFile(journal_file, _log)))
            except OSError as error:
                return _refuse(f"--journal-file: {journal_file}: {error.strerror or error}")
        try:
            run(main)
        except (OSError, OverflowError) as error:
            return _refuse(f"cannot listen on {host}:{port}: {error}")
    return code


def origin(url: str) -> str:
    """The server's URL, without a slash at its end; ``ValueError`` for one that cannot be recorded."""
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "--record: expected a URL without user, query and fragment: what is secret comes from the client"
        )
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError(f"--record: expected http://HOST… or https://HOST…, got {url!r}")
    try:
        good = parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"--record: {url!r} has a port that is none")
    return url.rstrip("/")


def _unfit(out: Path) -> str:
    """Why a script cannot be written there."""
    try:
        if out.exists() or out.is_symlink():
            return "exists already; a recording never overwrites: give another name, or take it away"
        write(out, "")
        out.unlink()
    except OSError as error:
        return f"cannot be written: {error.strerror or error}"
    return ""


def _banner(made: Recording, routes: Routes) -> str:
    several = len(routes.dialects) > 1
    return "\n".join(
        [
            f"chatproof records {made.recorder.source} on {made.base_url}; Ctrl-C stops it",
            "",
            f"  Point the client at {made.base_url}: requests and keys pass unchanged, and keys are written nowhere.",
            f"  {made.out} is written after each exchange.",
            f"  dialects: {', '.join(one.name for one in routes.dialects)}{'; --dialect says which it is' if several else ''}",
        ]
    )


def _summary(made: Recording, routes: Routes) -> int:
    from ..script.reading import check

    if len(made.recorder.heard) > CHECKED:
        _log(f"{made.out}: {made.recorder.counts}; next: chatproof check {made.out}")
        return 0
    if not made.recorder.heard:
        _log(f"nothing was recorded, so there is no {made.out}; {made.recorder.counts}")
        return INCOMPLETE
    checked = check(made.out, routes.dialects)
    for line in checked.lines():
        _log(line)
    _log(f"{made.out}: {made.recorder.counts}; next: chatproof serve --script {made.out}")
    return 0 if checked.script is not None else INCOMPLETE


def _refuse(message: str) -> int:
    _log(f"chatproof serve: {message}")
    return USAGE


def _log(line: str) -> None:
    """A reader of the log that has gone away must not stop the recording."""
    try:
        print(line, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return
