"""``check``, ``init --script`` and ``serve --script``, as commands and as processes."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chatproof.cli import cli
from chatproof.simulator.app import running
from chatproof.simulator.script.example import EXAMPLE
from chatproof.simulator.script.model import Script
from chatproof.simulator.script.watch import Watched, reload
from chatproof.simulator.serve import serve
from chatproof.spec import BadFile, dialect

GOOD = "script: 1\nagents:\n  shop: {turns: {start: [{else: {say: good}}]}}\n"
BAD = GOOD.replace("say: good", "say: '{{ nam }}'")
WARNED = GOOD.replace("}]", "}, {else: {say: never}}]")


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def make(text: str) -> Path:
        path = tmp_path / "script.yaml"
        path.write_text(text, "utf-8")
        return path

    return make


def test_check_says_everything_and_exits_2_for_mistakes_only(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.yaml" for name in ("good", "bad", "warned")}
    for path, text in zip(paths.values(), (GOOD, BAD, WARNED), strict=True):
        path.write_text(text, "utf-8")
    good, bad, warned = (str(path) for path in paths.values())
    assert (run("check", good).exit_code, run("check", warned).exit_code) == (0, 0)
    assert run("check", warned, "--strict").exit_code == 2
    done = run("check", good, bad, warned)
    assert done.exit_code == 2
    assert done.stdout.splitlines() == [
        f"{good}: no mistakes (1 agent, 1 turn, 1 rule)",
        f"{bad}: 1 mistake",
        f"{warned}: 1 warning (1 agent, 1 turn, 2 rules)",
    ]
    assert f"{bad}:3:43: undefined name 'nam'" in done.stderr
    assert f"{warned}:3:47: warning: this rule is never reached" in done.stderr


def test_check_asks_for_files_and_prints_its_schema() -> None:
    assert run("check").exit_code == 2
    assert run("check", "--dialect", "gide", str(EXAMPLE)).exit_code == 2
    assert '"$defs"' in run("check", "--schema").stdout


def test_check_knows_the_dialect_it_is_meant_for(write: Callable[[str], Path]) -> None:
    path = write(GOOD.replace("{say: good}", "{reply: [{call: x}]}"))
    assert run("check", str(path), "--strict").exit_code == 2
    assert run("check", str(path), "--strict", "--dialect", "reference").exit_code == 0


@pytest.mark.parametrize(
    "words",
    [("--script", "http://x"), ("--script", "--dialect", "guide"), (), ("http://x",), ("--dialect", "guide")],
)
def test_init_wants_a_url_or_script(words: tuple[str, ...]) -> None:
    done = run("init", *words)
    assert (done.exit_code, done.stdout) == (2, "")


def test_init_writes_a_script_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATPROOF_API_KEY", "k")
    path = tmp_path / "deep" / "script.yaml"
    assert run("init", "--script", "--out", str(path)).exit_code == 0
    assert run("check", "--strict", str(path)).exit_code == 0
    assert run("init", "--script", "--out", str(path)).exit_code == 2


@pytest.mark.slow
def test_the_conversation_that_init_prints_works(tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    printed = run("init", "--script", "--out", str(path)).stdout
    commands = [line.strip() for line in printed.splitlines() if line.startswith("  curl")]
    assert len(commands) == 2
    with running(script=path) as server:
        said = [
            subprocess.run(
                shlex.split(command.replace("http://127.0.0.1:8080", server.base_url)),
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for command in commands
        ]
    assert ["number" in said[0], "12345" in said[1], '"done"' in said[1]] == [True, True, True]


def test_a_library_user_gets_a_bad_script_as_an_exception(write: Callable[[str], Path]) -> None:
    with pytest.raises(BadFile, match="undefined name 'nam'"), running(script=write(BAD)):
        raise AssertionError


@pytest.mark.parametrize("text", [BAD, "", "[", "script: 1"])
def test_serve_refuses_a_bad_script_in_the_words_of_check(
    text: str, write: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(text)
    assert serve(port=0, script=path) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(run("check", str(path)).stderr)


def test_watch_needs_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(port=0, watch=True) == 2
    assert capsys.readouterr().err == "chatproof serve: --watch needs a --script to watch\n"


def test_a_watched_file_is_read_when_it_changes_and_a_bad_one_changes_nothing(write: Callable[[str], Path]) -> None:
    path = write(GOOD)
    watched = Watched(str(path), [dialect("guide")])
    performed: list[Script] = []
    log: list[str] = []
    assert watched.read().script is not None
    assert watched.look() is None
    write(BAD)
    bad = watched.look()
    assert bad is not None
    reload(bad, performed.append, log.append)
    assert performed == []
    assert log[0].startswith(f"{path}:3:43: undefined name 'nam'")
    assert log[-1] == f"{path}: 1 mistake; the script that was read before is kept"
    assert watched.look() is None
    write(WARNED)
    good = watched.look()
    assert good is not None
    reload(good, performed.append, log.append)
    assert len(performed) == 1
    path.unlink()
    gone = watched.look()
    assert gone is not None
    assert gone.script is None
    assert watched.look() is None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    port = _free_port()
    command = [sys.executable, "-m", "chatproof", "serve", "--port", str(port), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith("chatproof serves on ")
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def says(url: str, session: str) -> str:
    body = f'{{"agent_id": "shop", "message": "x", "session_id": "{session}", "stream": false}}'.encode()
    headers = {"Authorization": "Bearer key-valid", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/guide/chat", body, headers), timeout=5) as reply:
        text: str = reply.read().decode()
    return text


@pytest.mark.slow
def test_serve_reloads_as_a_user_sees_it(write: Callable[[str], Path]) -> None:
    path = write(GOOD)
    with serving("--script", str(path), "--watch", "--quiet") as (process, url):
        assert process.stderr is not None
        assert "good" in says(url, "a")
        write(BAD)
        assert "undefined name 'nam'" in process.stderr.readline()
        assert [process.stderr.readline() for _ in range(3)][-1].endswith("the script that was read before is kept\n")
        assert "good" in says(url, "b")
        write(GOOD.replace("say: good", "say: better"))
        assert "read again" in process.stderr.readline()
        assert "good" in says(url, "a")
        assert "better" in says(url, "c")
    assert process.returncode == 0


@pytest.mark.slow
def test_the_banner_tells_of_the_script_and_its_command_works(write: Callable[[str], Path]) -> None:
    path = write(
        "script: 1\nreplace: true\nkeys: {k-old: {revoked: true}, k-one: {plan: Free, balance: 9}}\n"
        "agents:\n  a b/c: {dialects: [rest], turns: {s: [{when: {exact: [Go, x]}, say: went}]}}\n"
    )
    with serving("--script", str(path)) as (process, _):
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("  curl"):
            lines.append(process.stdout.readline().rstrip())
        done = subprocess.run(shlex.split(lines[-1]), capture_output=True, text=True, check=True)
    assert '"content": "went"' in done.stdout
    text = "\n".join(lines)
    assert "key-valid" not in text
    assert (
        f"script {path}: 1 agent, 1 turn, 1 rule\n  k-old  revoked: 401\n  k-one  plan Free, a balance of 9\n  a b/c  a b/c in rest"
        in text
    )
