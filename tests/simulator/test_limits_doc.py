"""docs/limits.md is run, and its table is the register's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from chatproof.cli import cli
from chatproof.simulator import connections
from chatproof.simulator.connections import PATIENCE
from chatproof.simulator.control.server import MOST
from chatproof.simulator.plans import figures
from chatproof.simulator.request import BODY_LIMIT, TAKEN_LIMIT
from chatproof.spec import presets

from ..laws.rulings_page import page
from ..test_readme import SELF, free_port, matches

TEXT = (Path(__file__).parents[2] / "docs" / "limits.md").read_text("utf-8")


def test_the_table_is_that_of_the_register() -> None:
    assert page(TEXT) == TEXT, "run: python -m tests.laws.rulings_page --write"


def test_the_figures_are_those_in_force() -> None:
    text = " ".join(TEXT.split())
    patience = (
        f"{PATIENCE.head_s:g} s from its first byte",
        f"takes more than {PATIENCE.body_s:g} s",
        f"nothing for {PATIENCE.first_s:g} s",
    )
    idle = (
        f"idle for {connections.IDLE_S / 60:g} min",
        f"in the next {connections.LINGER_S:g} s",
        f"{connections.MOST:,} at most",
    )
    sizes = f"above {BODY_LIMIT >> 20} MiB", f"may have {TAKEN_LIMIT >> 20} MiB", f"at most {MOST} connections"
    plans = presets()
    ours = f"`Free`: {figures(plans['Free'])}", f"({figures(plans['Enterprise'])})"
    for told in (*patience, *idle, *sizes, *ours):
        assert told in text, told


def test_every_option_that_is_named_exists() -> None:
    known = {
        flag
        for command in cli.commands.values()
        for option in command.params
        for flag in (*option.opts, *option.secondary_opts)
    }
    assert set(re.findall(r"(?<![\w!<-])--[a-z][a-z-]+", re.sub(r"curl .*", "", TEXT))) <= known


@pytest.mark.slow
def test_every_example_does_what_it_says() -> None:
    (block,) = re.findall(r"^```console\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    block = block.replace("8080", str(free_port()))
    (serve, banner), *asked = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", block, re.MULTILINE)
    command = serve.replace("chatproof", SELF, 1)
    with subprocess.Popen(["bash", "-c", f"exec {command}"], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert matches(banner, server.stdout.readline() + "\u2026")
            for line, output in asked:
                done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
                assert matches(output, done.stdout), (line, done.stdout)
        finally:
            server.terminate()
