"""``serve`` as a process: ready line, request, signals, bad flags."""

from __future__ import annotations

import http.client
import shlex
import signal
import socket
import subprocess
import sys
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
    ],
)
def test_a_bad_flag_is_one_line_and_2(bad: dict[str, Any], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(**bad) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert says in err


@pytest.mark.parametrize("name", names())
def test_the_printed_command_works(name: str, desk: Any) -> None:
    words = shlex.split(curl(dialect(name), dialect(name).mount))
    assert words[:2] == ["curl", "-N"]
    assert desk.send(words[2], words[-1].encode(), words[4].rpartition(" ")[2]).status == 200
