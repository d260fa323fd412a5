"""The commands of docs/control.md are run, and print what it says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ..test_readme import SELF, free_port, matches

TEXT = (Path(__file__).parents[2] / "docs" / "control.md").read_text("utf-8")

pytestmark = pytest.mark.slow


def test_every_example_does_what_it_says() -> None:
    (block,) = re.findall(r"^```console\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    for port in ("8080", "8090"):
        block = block.replace(port, str(free_port()))
    examples = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", block, re.MULTILINE)
    (serve, banner), *asked = examples
    command = serve.replace("chatproof", SELF, 1)
    with subprocess.Popen(["bash", "-c", f"exec {command}"], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert matches(banner, server.stdout.readline() + "\u2026")
            for line, output in asked:
                done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
                assert matches(output, done.stdout), f"{line}\nprinted\n{done.stdout}{done.stderr}"
        finally:
            server.terminate()
    assert len(asked) == 6


def test_every_operation_is_in_the_document() -> None:
    from chatproof.simulator.control.operations import OPERATIONS

    told = set(re.findall(r"`(GET|POST|PUT|DELETE) (/[^`]*)`", TEXT))
    assert told == {(operation.method, operation.path) for operation in OPERATIONS}
