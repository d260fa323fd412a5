"""docs/record.md is run: a server, the recorder in front of it, and the fake backend that says the same; each stopped as a user does."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatproof.cli import cli

from ..test_readme import SELF, free_port, matches

TEXT = (Path(__file__).parents[2] / "docs" / "record.md").read_text("utf-8")
SERVER = "uv run chatproof serve --dialect guide --port 8080 --quiet"
READY = re.compile(r"serves on|records")

pytestmark = pytest.mark.slow


def commands() -> Iterator[tuple[str, str]]:
    for found in re.findall(r"^```console\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", found, re.MULTILINE)


def started(command: str, folder: Path) -> tuple[subprocess.Popen[str], str]:
    server = subprocess.Popen(
        ["bash", "-c", f"exec {command}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    )
    assert server.stdout is not None
    first = server.stdout.readline()
    if not READY.search(first):
        server.kill()
        raise AssertionError(f"{command}\n{first}{server.communicate()[1]}")
    return server, first


def ended(server: subprocess.Popen[str]) -> tuple[int, str]:
    server.send_signal(signal.SIGTERM)
    return server.wait(), server.communicate()[1]


def test_the_document_is_run(tmp_path: Path) -> None:
    ports = {port: str(free_port()) for port in ("8080", "8081", "8082")}

    def real(text: str) -> str:
        for port, free in ports.items():
            text = text.replace(port, free)
        return text.replace("uv run chatproof", SELF)

    running = [started(real(SERVER), tmp_path)[0]]
    ran = 0
    try:
        for command, output in commands():
            ran += 1
            if " serve " in command:
                server, first = started(real(command), tmp_path)
                running.append(server)
                assert matches(real(output), first + "…"), command
                continue
            if command.startswith("grep"):
                code, log = ended(running.pop())
                assert (code, log.count("recorded: ")) == (0, 2)
                assert "recorded.yaml: 2 exchanges in 1 conversation; next:" in log
            done = subprocess.run(
                ["bash", "-c", real(command)], capture_output=True, text=True, check=False, cwd=tmp_path
            )
            assert matches(real(output), done.stdout), f"{command}\nprinted\n{done.stdout}{done.stderr}"
    finally:
        for server in running:
            ended(server)
    assert ran == 7


def test_every_option_that_is_named_exists() -> None:
    known = {flag for command in cli.commands.values() for option in command.params for flag in option.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"curl .*", "", TEXT)))
    assert named <= known


REFUSED = [
    (["--record", "http://x"], "--record needs --out FILE"),
    (["--out", "x.yaml"], "it needs --record URL"),
    (["--record", "http://x", "--out", "x.yaml", "--seed", "0"], "--seed does not go with --record"),
    (["--record", "http://x", "--out", "x.yaml", "--log-format", "json", "--script", "s"], "--script does not go with"),
    (["--record", "http://x", "--out", "x.yaml", "--fault", "crlf"], "--fault does not go with"),
    (["--record", "http://x", "--out", "x.yaml", "--no-limits"], "--no-limits does not go with"),
    (["--control-token", "a-token-of-some-length"], "it needs --control [HOST:]PORT"),
    (["--record", "ftp://x", "--out", "x.yaml"], "expected http://HOST… or https://HOST…, got 'ftp://x'"),
    (["--record", "http://me:hunter2@x", "--out", "x.yaml"], "without user, query and fragment"),
    (["--record", "http://x:77777", "--out", "x.yaml"], "has a port that is none"),
    (["--record", "http://x", "--out", "no/x.yaml"], "--out: no/x.yaml: cannot be written: No such file"),
    (["--record", "http://x", "--out", "there.yaml"], "--out: there.yaml: exists already"),
    (["--record", "http://x", "--out", "x.yaml", "--dialect", "gide"], "did you mean 'guide'"),
]


@pytest.mark.parametrize(("words", "says"), REFUSED)
def test_what_does_not_fit_is_refused(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.yaml").write_text("mine")
    done = CliRunner().invoke(cli, ["serve", *words])
    assert (done.exit_code, says in done.output) == (2, True), done.output
    assert "hunter2" not in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["there.yaml"]


def test_a_recording_of_nothing_writes_nothing(tmp_path: Path) -> None:
    server, _ = started(f"{SELF} serve --record http://127.0.0.1:1 --out x.yaml --port 0", tmp_path)
    code, log = ended(server)
    assert (code, "nothing was recorded, so there is no x.yaml" in log) == (3, True)
    assert list(tmp_path.iterdir()) == []
