"""``serve`` as a process: ready line, request, signals, bad flags."""

from __future__ import annotations

import http.client
import json
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chatproof.simulator.banner import curl
from chatproof.simulator.serve import serve
from chatproof.spec import dialect, names

PROGRAM = "import sys; from chatproof.simulator.serve import serve; sys.exit(serve(port=int(sys.argv[1])))"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_when_it_is_ready_and_stops_when_told(number: signal.Signals) -> None:
    port = _free_port()
    command = [sys.executable, "-c", PROGRAM, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(f"chatproof serves on http://127.0.0.1:{port} ")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        assert connection.getresponse().status == 200
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr.read().count("\n") == 1
        text = process.stdout.read()
        connection.close()
    assert all(name in text for name in (*names(), "key-valid", "key-broke", "default", "curl -N"))


def test_a_busy_port_is_one_line_and_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        assert serve(port=sock.getsockname()[1]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"dialects": ["gide"]}, "gide"),
        ({"clock": "x0"}, "xN"),
        ({"port": 99_999}, "99999"),
        ({"host": "192.0.2.1"}, "192.0.2.1"),
        ({"fault": "nothing"}, "nothing"),
        ({"control": "x"}, "--control: expected a port or HOST:PORT, got 'x'"),
        ({"control": "99999"}, "99999"),
        ({"port": 0, "control": "192.0.2.1:0"}, "--control: cannot listen on 192.0.2.1:0"),
        ({"control": "0", "control_token": "short"}, "--control-token: expected at least 8"),
        ({"journal_file": Path("/nowhere/j.jsonl")}, "--journal-file: /nowhere/j.jsonl: No such file"),
    ],
)
def test_a_bad_flag_is_one_line_and_2(bad: dict[str, Any], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(**bad) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert says in err


CONTROLLED = "import sys; from chatproof.cli import main; sys.argv[1:1] = ['serve', '--port', '0']; main()"


@contextmanager
def process(*words: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """``chatproof serve`` with those words on a free port: what it logs (once it is over), the banner's rows by their first word."""
    logged: list[str] = []
    command = [sys.executable, "-c", CONTROLLED, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        rows: dict[str, str] = {}
        while not rows.get("try"):
            words_of = running.stdout.readline().split(None, 1)
            rows |= {words_of[0]: words_of[-1].strip()} if words_of else {}
        try:
            yield logged, rows
        finally:
            running.terminate()
            logged += running.communicate()[1].splitlines()


def fetch(url: str, token: str | None = None, body: bytes | None = None) -> tuple[int, Any]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.slow
def test_control_on_loopback_needs_no_token_and_a_frozen_clock_is_moved() -> None:
    with process("--control", "0", "--clock", "frozen", "-q") as (logged, rows):
        assert fetch(f"{rows['control']}/clock", body=b'{"advance": 60}')[1]["shown"] == "2026-01-01T00:01:00Z"
    assert logged == []


@pytest.mark.slow
def test_control_elsewhere_makes_a_token_up_and_prints_it() -> None:
    with process("--control", "0.0.0.0:0") as (_, rows):
        url, _, token = rows["control"].rstrip(")").partition(" (token ")
        url = url.replace("0.0.0.0", "127.0.0.1")
        assert len(token) > 16
        assert fetch(f"{url}/health")[0] == 401
        assert fetch(f"{url}/health", token)[0] == 200


@pytest.mark.slow
def test_the_log_may_be_json_and_the_journal_goes_on_in_its_file(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    for _ in range(2):
        with process("--log-format", "json", "--journal-file", str(file)) as (logged, rows):
            assert fetch(f"{rows['rest']}/none")[0] == 404
        assert [json.loads(line)["refusal"] for line in logged] == ["path_not_found"]
    assert [json.loads(line)["status"] for line in file.read_text().splitlines()] == [404, 404]


@pytest.mark.parametrize("name", names())
def test_the_printed_command_works(name: str, desk: Any) -> None:
    words = shlex.split(curl(dialect(name), dialect(name).mount))
    assert words[:2] == ["curl", "-N"]
    assert desk.send(words[2], words[-1].encode(), words[4].rpartition(" ")[2]).status == 200
