"""``locust -f`` on the shipped locustfile as a user starts it: with its page, headless, as master and workers; on loopback alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

from chatproof.simulator.sim import Sim

from .loads import PATIENCE_S, ROOT, environment

TRACED = """
import socket, sys
log = open(sys.argv.pop(1), "a", buffering=1)
def hook(event, words):
    if event == "socket.connect" and words[0].family != socket.AF_UNIX:
        print(words[1][0], file=log)
    elif event == "socket.getaddrinfo":
        print(words[0], file=log)
sys.addaudithook(hook)
from locust.main import main
main()
"""
"""Locust, with every address that it connects to and every name that it looks up written to a file."""


def command(sim: Sim, *words: str, contacts: Path | None = None) -> list[str]:
    """Locust's command line at a simulator. ``contacts``: a file for all that it connects to or looks up."""
    start = ["-m", "locust"] if contacts is None else ["-c", TRACED, str(contacts)]
    target = ["--host", sim.url("guide"), "--chatproof-dialect", "guide", "--chatproof-agent", "default"]
    return [sys.executable, *start, "-f", str(ROOT / "load" / "locustfile.py"), *target, *words]


def paced(sim: Sim, first_s: float = 0.25) -> str:
    """An agent that takes its time and says the message again; its id. Whoever is cut off in the middle, that shows."""
    sim.agent("paced", lambda turn: [first_s, "You said", 0.05, turn.message])
    return "paced"


def settings(folder: Path, sim: Sim) -> dict[str, str]:
    return {**environment(folder), "CHATPROOF_API_KEY": sim.key("valid"), "PYTHONUNBUFFERED": "1"}


@contextmanager
def started(words: list[str], folder: Path, sim: Sim) -> Iterator[subprocess.Popen[str]]:
    """A process in a group of its own, that is gone at the end; both of its outputs in one."""
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=settings(folder, sim),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def until(process: subprocess.Popen[str], *words: str) -> list[str]:
    """Read what it prints until each of the words came, in any order; the lines read."""
    assert process.stdout is not None
    lines, open_words = [], list(words)
    for line in process.stdout:
        lines.append(line)
        open_words = [word for word in open_words if word not in line]
        if not open_words:
            return lines
    raise AssertionError(f"{open_words} never came in\n{''.join(lines)}")


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


def get(url: str) -> tuple[int, str, str]:
    """Status, media type and text."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status, answer.headers.get_content_type(), answer.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.headers.get_content_type(), refused.read().decode()


def post(url: str, **form: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, urlencode(form).encode(), timeout=PATIENCE_S) as answer:
        told: dict[str, Any] = json.loads(answer.read())
        return told


@contextmanager
def paged(sim: Sim, folder: Path, *words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Locust with its page on a free port: the page's URL, once it answers, and the process."""
    port = free_port()
    told = command(sim, "--web-host", "127.0.0.1", "--web-port", str(port), "--chatproof-think", "0.1", *words)
    with started(told, folder, sim) as process:
        until(process, "Starting web interface", *(["2 workers connected"] if "--processes" in words else []))
        url = (
            f"http://127.0.0.1:{port}{words[words.index('--web-base-path') + 1] if '--web-base-path' in words else ''}"
        )
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
                break
            except ConnectionRefusedError:
                continue
        yield url, process


def awaited(sim: Sim, url: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What JSON the URL gives once it holds; asked again whenever the run has gone on."""
    told: dict[str, Any] = {}
    for _ in range(1000):
        told = json.loads(get(url)[2])
        if holds(told):
            return told
        sim.journal.wait_for(len(sim.journal) + 5, within_s=PATIENCE_S)
    raise AssertionError(f"never came to hold: {told}")
