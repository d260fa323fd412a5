"""docs/load.md is run: its commands print what it says, and its tables name what there is."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatproof.cli import cli
from chatproof.load.locust_options import OPTIONS
from chatproof.load.metrics import METRICS
from chatproof.load.objective import COUNTS, RATES
from chatproof.load.outcome import OUTCOMES
from chatproof.load.result import EXIT_CODES
from chatproof.load.schedule import KINDS

from ..test_readme import SELF, matches
from .loads import ROOT, environment

TEXT = (ROOT / "docs" / "load.md").read_text("utf-8")


def commands() -> Iterator[tuple[str, str]]:
    for found in re.findall(r"^```console\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", found, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize(("command", "output"), list(commands()))
def test_a_command_prints_what_the_page_says(command: str, output: str, tmp_path: Path) -> None:
    told = ["bash", "-c", command.replace("uv run chatproof", SELF)]
    done = subprocess.run(told, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment(tmp_path))
    assert matches(output, done.stdout), f"{command}\nprinted\n{done.stdout}{done.stderr}"


def test_every_name_is_on_the_page() -> None:
    names = (*METRICS, *OUTCOMES, *COUNTS, *RATES, *EXIT_CODES, *KINDS)
    assert [name for name in names if not re.search(rf"`{re.escape(name)}[`: ]", TEXT)] == []


def test_every_flag_on_the_page_exists() -> None:
    options = {name for option in cli.commands["load"].params for name in option.opts}
    told = {flag for flag in re.findall(r"--[a-z][a-z-]+", TEXT) if not flag.startswith("--chatproof-")}
    others = {
        "--host",
        "--run-time",
        "--headless",
        "--help",
        "--out",
        "--stop-timeout",
        "--web-host",
        "--users",
        "--anyway",
        "--to",
    }
    assert told - others - options == set()


def test_every_option_of_locust_is_named() -> None:
    assert {name for name, _ in OPTIONS} == set(re.findall(r"^\| `--chatproof-([a-z-]+)`", TEXT, re.MULTILINE))
