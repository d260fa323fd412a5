"""The repository itself: the tree of links for the type checker, and the files that its readers rely on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TYPING = ROOT / ".typing" / "chatproof"
LONGEST = 320


def test_the_type_checker_sees_every_room_and_every_front_door_file() -> None:
    rooms = {"spec", "simulator", "conformance", "load", "reports"}
    front = {path.name for path in (ROOT / "chatproof").iterdir() if path.suffix == ".py" or path.name == "py.typed"}
    assert {path.name for path in TYPING.iterdir()} == rooms | front
    for link in TYPING.iterdir():
        assert link.resolve() == (ROOT / link.name if link.name in rooms else ROOT / "chatproof" / link.name)


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout, so there is no list of what is tracked")
    return [name for name in listed.stdout.split("\n") if name and not os.path.islink(ROOT / name)]


def test_files_can_be_read_in_one_go() -> None:
    sources = [name for name in tracked() if name.endswith(".py")]
    assert [name for name in sources if len((ROOT / name).read_bytes().splitlines()) > LONGEST] == []
