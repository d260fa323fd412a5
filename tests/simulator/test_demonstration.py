"""Every command that ``chatproof faults NAME`` prints is sent, byte by byte, to one server: the fault fires, and shows as it is told."""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import pytest

from chatproof import Sim, Simulator
from chatproof.simulator.catalogue import words
from chatproof.simulator.demonstration import BASE, Demonstration, demonstration, holds
from chatproof.simulator.faults import CATALOGUE

AGAIN = ("sessions", "limits", "balances", "faults", "seed")
RUN = ("http-429", "torn-writes", "session-leaks-between-agents", "never-429", "gzip", "reset-on-reuse", "http-502")
"""Commands that curl itself runs: all the options that any of them has."""
LATER = ("held-back", "slow-headers", "stall", "trickle", "linger")
"""What changes the time of bytes alone."""
shown = cache(demonstration)


@dataclass
class Request:
    """One request as a command tells it."""

    url: str = ""
    method: str = "POST"
    headers: list[str] = field(default_factory=list)
    body: str = ""

    def raw(self, number: int) -> bytes:
        target = re.sub(r"\[1-\d+\]", str(number), self.url.partition("//")[2].partition("/")[2])
        length = [f"Content-Length: {len(self.body.encode())}"] if self.body else []
        lines = [f"{self.method} /{target} HTTP/1.1", "Host: localhost", *self.headers, *length, "", self.body]
        return "\r\n".join(lines).encode()

    @property
    def times(self) -> int:
        found = re.search(r"\[1-(\d+)\]", self.url)
        return int(found[1]) if found else 1


def requests(command: str) -> list[Request]:
    """The requests of a curl command; a word that is not known here fails."""
    program, *rest = shlex.split(command)
    assert program == "curl"
    found = [Request()]
    given = iter(rest)
    for word in given:
        now = found[-1]
        match word:
            case "-sNi" | "--raw":
                pass
            case "--next":
                found.append(Request())
            case "--compressed":
                now.headers.append("Accept-Encoding: gzip")
            case "-X":
                now.method = next(given)
            case "-H":
                now.headers.append(next(given))
            case "-d":
                now.body = next(given)
            case _:
                assert word.startswith("http://")
                now.url = word
    return found


@pytest.fixture(scope="module")
def sim() -> Iterator[Sim]:
    with Simulator(clock="frozen", journal=5000) as sim:
        yield sim


@pytest.fixture(scope="module")
def send(sim: Sim) -> Callable[[str], tuple[bytes, list[str]]]:
    """Sends the requests of a command over one connection as long as it lasts: all bytes, and the faults that fired."""

    def ask(command: str) -> tuple[bytes, list[str]]:
        sim.reset(*AGAIN)
        wire, fired = b"", list[str]()
        connection: socket.socket | None = None
        for request in requests(command):
            for number in range(1, request.times + 1):
                connection = connection or _connected(sim)
                heard = len(sim.journal)
                connection.sendall(request.raw(number))
                entry = sim.journal.wait_for(heard + 1)[-1]
                got = _read(connection, len(entry.response))
                assert got == entry.response
                wire += got
                fired += entry.faults
                if entry.closed != "kept":
                    assert _ended(connection) == entry.closed
                    connection.close()
                    connection = None
        if connection:
            connection.close()
        return wire, fired

    return ask


def _connected(sim: Sim) -> socket.socket:
    host, _, port = sim.base_url.rpartition("/")[2].rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def _read(connection: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count and (part := connection.recv(65536)):
        got += part
    return got


def _ended(connection: socket.socket) -> str:
    try:
        assert connection.recv(1) == b""
    except ConnectionResetError:
        return "reset"
    return "server"


@pytest.fixture(scope="module")
def plain(send: Callable[[str], tuple[bytes, list[str]]]) -> Callable[[Demonstration], bytes]:
    """What the same requests get when they ask for nothing."""
    seen: dict[str, bytes] = {}

    def ask(demo: Demonstration) -> bytes:
        command = re.sub(r" -H 'X-Chatproof-Fault: [^']*'", "", demo.curl())
        if command not in seen:
            wire, fired = send(command)
            assert fired == []
            seen[command] = wire
        return seen[command]

    return ask


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_command_shows_what_the_catalogue_says(
    name: str, send: Callable[[str], tuple[bytes, list[str]]], plain: Callable[[Demonstration], bytes]
) -> None:
    demo = shown(CATALOGUE[name])
    wire, fired = send(demo.curl())
    assert name in fired
    assert holds(name, wire, plain(demo)), wire[:1000]
    assert wire != plain(demo) or name in LATER, "the same bytes"


def test_every_row_has_words_and_no_words_are_left() -> None:
    assert words().keys() == CATALOGUE.keys()
    for name, row in words().items():
        assert row.keys() <= {"does", "client", "see", "gone"}, name
        assert row["does"].endswith(".")
        assert row["client"].endswith(".")


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_curl_itself_shows_it(name: str, sim: Sim) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    sim.reset(*AGAIN)
    command = shown(CATALOGUE[name]).curl().replace(BASE, sim.base_url)
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, timeout=20)
    assert sim.journal.wait_for(fault=name)
    see = words()[name].get("see")
    assert see is None or re.search(see, done.stdout.decode("latin-1")), done.stdout
