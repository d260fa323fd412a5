"""docs/scripts.md is run: its script is written, its commands print what it says, and its tables name what there is."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatproof.cli import cli
from chatproof.simulator.pace_words import CHUNKS, PLAIN, SPREADS
from chatproof.simulator.script import compiling, fakes, sandbox
from chatproof.simulator.script.reading import check_text, schema

from .test_readme import SELF, free_port, matches

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "scripts.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def commands() -> Iterator[tuple[str, str]]:
    for found in re.findall(r"^```console\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", found, re.MULTILINE)


@pytest.mark.slow
def test_the_five_minutes_go_as_told(tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_text(block("yaml"), "utf-8")
    port = str(free_port())
    server: subprocess.Popen[str] | None = None
    ran = 0
    try:
        for command, output in commands():
            command, output = (
                text.replace("8080", port).replace("uv run chatproof", SELF) for text in (command, output)
            )
            ran += 1
            if " serve " in command:
                server = subprocess.Popen(
                    ["bash", "-c", f"exec {command}"],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    cwd=tmp_path,
                )
                assert server.stdout is not None
                printed = ""
                while "  curl " not in printed:
                    printed += server.stdout.readline()
            else:
                printed = subprocess.run(
                    ["bash", "-c", command], capture_output=True, text=True, check=False, cwd=tmp_path
                ).stdout
            assert matches(output, printed), f"{command}\nprinted\n{printed}"
    finally:
        if server is not None:
            server.terminate()
            server.communicate()
    assert ran == 8


@pytest.mark.slow
def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "script.yaml").write_text(block("yaml"), "utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python"), "docs/scripts.md", "exec"), {})
    assert capsys.readouterr().out.startswith("http://127.0.0.1:")


def rows(heading: str) -> set[str]:
    """The names in the first column of the table under that heading."""
    section = TEXT.partition(f"### {heading}\n")[2].partition("\n#")[0]
    first = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {name for cell in first for name in re.findall(r"`(\w+)`", cell)}


def keys(*path: str) -> set[str]:
    at: Any = schema()
    for part in path:
        at = at[part]
    return set(at["properties"])


def test_every_key_has_its_row_and_every_row_its_key() -> None:
    agent = keys("properties", "agents", "additionalProperties")
    assert rows("The file") == keys()
    assert rows("A key") == keys("properties", "keys", "additionalProperties")
    assert rows("An agent") == agent
    assert rows("A rule") == keys("$defs", "rule")
    assert rows("Time") - {"300ms"} == keys("$defs", "latency")
    assert rows("Pieces") == set(PLAIN)
    assert rows("When") == keys("$defs", "when")
    assert rows("A step of a reply") | {"args", "result"} == keys("$defs", "step")


def test_every_script_in_it_has_no_mistakes() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    assert [check_text(text, "s.yaml").lines() for text in blocks] == [[], []]


def test_every_spread_and_every_way_to_cut_is_told() -> None:
    section = TEXT.partition("### Time\n")[2].partition("\n### Regular")[0]
    assert set(SPREADS) <= set(re.findall(r"`(\w+)\(", section))
    assert {*CHUNKS} <= set(re.findall(r"`\{(\w+):", section))


def test_every_refusal_and_every_name_of_templates_is_told() -> None:
    told = set(re.findall(r"`(\w+)`", TEXT.partition("### A rule\n")[2].partition("\n### When")[0]))
    assert set(schema()["$defs"]["refusal"]["enum"]) <= told
    section = TEXT.partition("### Templates\n")[2].partition("\n## ")[0]
    assert rows("Templates") == {"request", "session", "vars", "capture", "count", "tools", "fake", "now"}
    table = {
        found[0]: set(re.findall(r"`(\w+)", found[1]))
        for found in re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE)
    }
    assert table["request"] == compiling.REQUEST
    assert table["session"] == compiling.SESSION
    assert table["count"] == {*compiling.COUNT, "if"}
    assert table["fake"] == fakes.NAMES
    filters = section.partition("Filters: ")[2].partition(". Nothing")[0]
    assert set(re.findall(r"`(\w+)`", filters)) == {name for name in sandbox.FILTERS if not name.startswith("_")}
    assert str(sandbox.ROUNDS) in section
    assert str(sandbox.LONGEST) in section


def test_every_option_that_is_named_exists() -> None:
    known = {flag for command in cli.commands.values() for option in command.params for flag in option.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"curl .*", "", TEXT)))
    assert named <= known
