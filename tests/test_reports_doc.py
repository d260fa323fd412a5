"""docs/reports.md is run: its commands, in a folder of their own, print what it says, and what it names exists."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from chatproof.cli import cli
from chatproof.reports.write import FACES
from chatproof.verify import OUT_FACES

from .test_readme import matches

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "reports.md").read_text("utf-8")
TRACKER = (
    '<script async src="https://www.googletagmanager.com/gtag/js?id=G-0"></script>\n    <script>\n  gtag()\n</script>'
)


def commands() -> Iterator[tuple[str, str]]:
    for found in re.findall(r"^```console\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", found, re.MULTILINE)


@pytest.mark.slow
def test_the_commands_print_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours are run in this process, which saves seconds of imports; the README's are run as they stand."""
    monkeypatch.chdir(tmp_path)
    ran = 0
    for command, output in commands():
        ran += 1
        ours = command.removeprefix("uv run chatproof ")
        if ours == command:
            env = {**os.environ, "LC_ALL": "C.UTF-8"}
            printed = subprocess.run(
                ["bash", "-c", command], stdout=subprocess.PIPE, text=True, check=True, env=env
            ).stdout
        else:
            done = CliRunner().invoke(cli, shlex.split(ours.removesuffix(" 2>&1")))
            printed = done.output if ours.endswith(" 2>&1") else done.stdout
        assert matches(output, printed), f"{command}\nprinted\n{printed}"
    assert ran == 10
    assert (tmp_path / "again.html").exists()
    assert (tmp_path / "trend.html").exists()


def test_every_file_and_every_ending_is_named() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \|", TEXT, re.MULTILINE)
    assert set(rows) == {*OUT_FACES, "slug.jsonl"}
    told = TEXT.partition("by the name's ending: ")[2].partition(". `--open`")[0]
    assert set(re.findall(r"`(\.\w+)`", told)) == set(FACES)


def test_every_link_leads_somewhere() -> None:
    for link in re.findall(r"\]\((\.\./[^)]+)\)", TEXT):
        assert (ROOT / "docs" / link).exists(), link


def test_every_option_that_is_named_exists() -> None:
    known = {flag for command in cli.commands.values() for option in command.params for flag in option.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT))
    assert {flag for flag in named if not flag.startswith("--chatproof-")} <= known | {"--alluredir"}


def test_the_script_of_allure_is_taken_out(tmp_path: Path) -> None:
    (tmp_path / "allure-report").mkdir()
    page = tmp_path / "allure-report" / "index.html"
    page.write_text(f"<head>{TRACKER}<script>kept()</script></head>")
    (command,) = re.findall(r"^python3 -c .*$", TEXT, re.MULTILINE)
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    assert page.read_text() == "<head><script>kept()</script></head>"
