"""The servers that the benches compare: ours, aimock from npm, and handlers as aiohttp's tutorial writes them.

Each is started on one core of its own, and asked for the same work in the words of its own API: a bearer key, a message of a
hundred characters, an echo of it with usage, or the same as events.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .processor import used_s

HOST = "127.0.0.1"
AIMOCK = "@copilotkit/aimock@1.43.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "chatproof-bench"
PATIENCE_S = 30.0
OPEN_FILES = 8192
MESSAGE = "please tell me where the warm blue winter coat is that we have ordered for our younger son"
TEXT = f"You said: {MESSAGE}"
"""What comes back: 20 words, a hundred characters."""
PIECE = 5
"""Characters of one of aimock's events; 20 of them make the text."""
GAP_MS = 20
PACED = 200
"""Events of a paced stream, and the milliseconds between them."""

PLAIN = """
import asyncio, sys
import uvloop
from aiohttp import web

USAGE = {"input_tokens": 18, "output_tokens": 20, "total_tokens": 38}
LIMITS = {"X-RateLimit-Limit": "600000", "X-RateLimit-Remaining": "599999", "X-RateLimit-Reset": "1767225660"}

async def chat(request):
    asked = await request.json()
    if asked["message"] == "pace":
        return await paced(request)
    text = "You said: " + asked["message"]
    if not asked["stream"]:
        answer = {"response": text, "session_id": asked["session_id"], "usage": USAGE, "tool_calls": []}
        return web.json_response(answer, headers=LIMITS)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **LIMITS})
    await response.prepare(request)
    first, *more = text.split()
    for word in (first, *(" " + word for word in more)):
        await response.write(b'data: {"type": "token", "content": "%b"}\\n\\n' % word.encode())
    await response.write(b'data: {"type": "done", "session_id": "s", "usage": {"input_tokens": 18, "output_tokens": 20}}\\n\\n')
    await response.write_eof()
    return response

async def paced(request):
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **LIMITS})
    await response.prepare(request)
    for _ in range(int(sys.argv[2])):
        await asyncio.sleep(int(sys.argv[3]) / 1000)
        await response.write(b'data: {"type": "token", "content": "word"}\\n\\n')
    await response.write_eof()
    return response

app = web.Application()
app.router.add_post("/guide/chat", chat)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, loop=uvloop.new_event_loop())
"""

SIMULATOR = """
import signal, sys
from chatproof import Simulator
from chatproof.simulator.serve import calm

count, gap_s = int(sys.argv[2]), int(sys.argv[3]) / 1000
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
with Simulator(port=int(sys.argv[1])) as sim:
    sim.agent("pace", [piece for _ in range(count) for piece in (gap_s, " word")])
    calm()
    signal.sigwait([signal.SIGTERM])
"""


@dataclass(frozen=True)
class Candidate:
    """A server to start. ``command``: given a port. ``ask``: the request for a number of a client and of a turn, streamed or not.

    ``events``: blocks that its stream of the text has. ``paced``: the request for a paced stream, of a server started so.
    """

    name: str
    command: Callable[[int], Sequence[str]]
    ask: Callable[[int, int, bool], bytes]
    events: int
    paced: bytes
    paced_command: Callable[[int], Sequence[str]]


@dataclass(frozen=True)
class Started:
    """A server that accepts. ``after_s``: seconds from its start until it did."""

    port: int
    pid: int
    after_s: float

    def cpu_s(self) -> float:
        """Seconds of a core that it has used."""
        return used_s(self.pid)

    def memory_kb(self) -> int:
        """What of it is in memory, in KiB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def ours(port: int) -> list[str]:
    """``chatproof serve`` as a user starts it, quiet, with its journal."""
    return [sys.executable, "-m", "chatproof", "serve", "--quiet", "--port", str(port)]


def paced(port: int) -> list[str]:
    """Ours as a test starts it, with an agent of its own whose stream is paced; the collector as calm as in ``chatproof serve``."""
    return [sys.executable, "-c", SIMULATOR, str(port), str(PACED), str(GAP_MS)]


def plain(port: int) -> list[str]:
    return [sys.executable, "-c", PLAIN, str(port), str(PACED), str(GAP_MS)]


def aimock(port: int) -> list[str]:
    node = CACHE / "node_modules" / ".bin" / "llmock"
    flags = ["--log-level", "silent", "--chunk-size", str(PIECE), "--fixtures", str(_fixtures())]
    return ["node", str(node), "--port", str(port), *flags]


def candidates(with_aimock: bool = True) -> list[Candidate]:
    """Ours first. aimock is installed into the user's cache once; without node or a registry it is left out, and that is said."""
    found = [
        Candidate("chatproof", ours, _ask_us, 21, _ours({"agent_id": "pace", "message": "pace"}), paced),
        Candidate("plain aiohttp", plain, _ask_us, 21, _ours({"message": "pace"}), plain),
    ]
    if with_aimock and installed():
        asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "pace"}], "stream": True}
        found.append(Candidate("aimock", aimock, _ask_aimock, 23, _post("/v1/chat/completions", asked), aimock))
    return found


def installed() -> bool:
    """Whether aimock is there, after trying to get it."""
    if (CACHE / "node_modules" / ".bin" / "llmock").exists():
        return shutil.which("node") is not None
    if shutil.which("npm") is None:
        print("aimock is left out: there is no npm here", file=sys.stderr)
        return False
    CACHE.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--prefix", str(CACHE), "--no-audit", "--no-fund", "--loglevel=error", AIMOCK]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"aimock is left out: npm: {done.stderr.strip()[-200:]}", file=sys.stderr)
    return done.returncode == 0


@contextmanager
def started(command: Callable[[int], Sequence[str]]) -> Iterator[Started]:
    """A server on the first core, until the block ends; this process keeps to the others."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    began = time.perf_counter()
    with _on({min(CORES)}):
        process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection((HOST, port)).close()
                break
            except ConnectionRefusedError:
                if process.poll() is not None or time.perf_counter() - began > PATIENCE_S:
                    raise SystemExit(f"{command(port)[:4]} does not serve: {process.poll()}") from None
                time.sleep(0.002)
        yield Started(port, process.pid, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait()


def new_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the client's event loop: uvloop's, so that the client is not what is measured."""
    import uvloop

    return uvloop.new_event_loop


def open_files() -> None:
    """Room for thousands of connections, as far as the system allows; what is started inherits it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most if most < OPEN_FILES and most >= 0 else OPEN_FILES, most))


def cores() -> set[int]:
    """Those this process may use; nobody is pinned where the system cannot."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}


CORES = cores()


@contextmanager
def _on(chosen: set[int]) -> Iterator[None]:
    """What is started within is pinned there; this process itself goes to the cores that are left."""
    if len(CORES) < 2:
        yield
        return
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES - chosen)


def _ask_us(client: int, turn: int, stream: bool) -> bytes:
    """Conversations of ten turns."""
    session = f"s{client}-{turn // 10}"
    return _ours({"agent_id": "echo", "message": MESSAGE, "stream": stream, "session_id": session})


def _ask_aimock(_client: int, _turn: int, stream: bool) -> bytes:
    messages = [{"role": "user", "content": MESSAGE}]
    return _post("/v1/chat/completions", {"model": "gpt-4o", "messages": messages, "stream": stream})


def _ours(body: dict[str, object]) -> bytes:
    return _post("/guide/chat", body)


def _post(path: str, asked: dict[str, object]) -> bytes:
    body = json.dumps(asked).encode()
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        "Authorization: Bearer key-valid",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


@cache
def _folder() -> Path:
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _fixtures() -> Path:
    path = _folder() / "fixtures.json"
    pairs: tuple[tuple[str, str, dict[str, int]], ...] = (
        ("pace", " word" * PACED, {"latency": GAP_MS}),
        (MESSAGE, TEXT, {}),
    )
    rows = [{"match": {"userMessage": said}, "response": {"content": text}, **more} for said, text, more in pairs]
    path.write_text(json.dumps({"fixtures": rows}))
    return path
