"""The README is run: each command in a console block, in order, and what it prints is what the README says.

A line that is only ``…`` stands for any lines, a ``…`` in a line for any text. Ports become free ones.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SELF = f"{sys.executable} -m chatproof"
INSTALL = "python3 -m pip install uv && "
TESTS = "uv run pytest"

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Example:
    command: str
    output: str


def examples() -> Iterator[Example]:
    for block in re.findall(r"^```console\n(.*?)^```$", README, re.DOTALL | re.MULTILINE):
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", block, re.MULTILINE):
            yield Example(command, output)


def matches(expected: str, printed: str) -> bool:
    """Whether the printed text is the expected one, with ``…`` for anything."""
    pattern = "".join(".*" if part == "…" else re.escape(part) for part in re.split(r"(…)", expected.strip("\n")))
    pattern = re.sub(r"(?:\\\n)?\.\*(?:\\\n)?", ".*", pattern)
    return re.fullmatch(pattern, printed.strip("\n"), re.DOTALL) is not None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_every_example_does_what_it_says() -> None:
    ports = {port: str(free_port()) for port in ("8080", "8081")}
    background: list[subprocess.Popen[str]] = []
    ran = 0
    try:
        for example in examples():
            command, output = example.command, example.output
            for port, free in ports.items():
                command, output = command.replace(port, free), output.replace(port, free)
            if command == TESTS:
                continue
            command = command.removeprefix(INSTALL).replace("uv run chatproof", SELF)
            ran += 1
            if " serve " in command:
                server = subprocess.Popen(
                    ["bash", "-c", f"exec {command}"],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    cwd=ROOT,
                )
                background.append(server)
                assert server.stdout is not None
                assert matches(output, server.stdout.readline() + "…"), command
                continue
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT)
            assert matches(output, done.stdout), f"{command}\nprinted\n{done.stdout}{done.stderr}"
    finally:
        for server in background:
            server.terminate()
            server.communicate()
    assert ran == 8


def test_the_wildcard_can_fail() -> None:
    assert matches("a\n…\nb", "a\nx\ny\nb")
    assert matches("…\nb", "b")
    assert matches("n … m", "n 7 m")
    assert not matches("a\n…\nb", "a\nx\nc")
    assert not matches("a", "a\nb")


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert any(example.command == TESTS for example in examples())
    assert TESTS in (ROOT / ".ci" / "run").read_text("utf-8")


def test_every_option_that_is_named_exists() -> None:
    from chatproof.cli import cli

    known = {flag for command in cli.commands.values() for option in command.params for flag in option.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"curl .*", "", README)))
    asked = [sys.executable, "-m", "pytest", "-p", "chatproof.conformance.plugin", "--help"]
    plugin = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    known |= {"--help", *re.findall(r"--chatproof-[a-z-]+", plugin)}
    assert named <= known


def test_the_profile_of_the_readme_is_a_valid_one(tmp_path: Path) -> None:
    from chatproof.conformance.profile import load_profile

    text = re.findall(r"^```yaml\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)[0]
    (tmp_path / "profile.yaml").write_text(text)
    names = re.findall(r"\$\{(\w+)\}", text)
    assert load_profile(tmp_path / "profile.yaml", dict.fromkeys(names, "k"))["dialect"] == "guide"


def test_the_python_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)[0]
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("http://127.0.0.1:")
