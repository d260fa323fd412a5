"""The recipes of CONTRIBUTING.md, followed: what they print is put in place and does what they say."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from chatproof import spec
from chatproof.conformance import check, judge, reading, seen
from chatproof.conformance.exchange import Chunk, End, Exchange, Request
from chatproof.conformance.judge import Evidence
from chatproof.conformance.profile import Profile
from chatproof.conformance.transcript import Transcript
from chatproof.simulator.backend import Backend
from chatproof.simulator.fault import Fault
from chatproof.simulator.plan import Layer
from chatproof.simulator.request import HttpRequest
from chatproof.spec.files import BadFile, read, read_text

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
GUIDE = spec.dialect("guide")


def snippet(heading: str, language: str) -> str:
    """The indented code block of that language under that heading."""
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(rf"^   ```{language}\n(.*?)^   ```", section, re.DOTALL | re.MULTILINE)
    assert found is not None, heading
    return "".join(line.removeprefix("   ") for line in found[1].splitlines(keepends=True))


def requirement() -> spec.Requirement:
    row = read_text(f"requirements:\n{snippet('Add a requirement', 'yaml')}", "snippet", "requirements")[
        "requirements"
    ][0]
    return spec.Requirement(**{**row, "citation": spec.Citation(**row["citation"])})


@pytest.fixture
def mood_check() -> Iterator[None]:
    """The check of the recipe, registered as if it stood in ``conformance/checks/reply.py``."""
    names = {**vars(check), "Seen": seen.Seen, "Iterator": Iterator, "at": reading.at, "__name__": "checks.reply"}
    exec(compile(snippet("Add a check", "python"), "CONTRIBUTING.md", "exec"), names)
    yield
    del check.CHECKS["reply.mood"]


def evidence(body: object) -> Evidence:
    data = json.dumps(body).encode()
    raw = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)
    asked = {"step": "new", "operation": "chat"}
    exchange = Exchange("ex-1", "new", Request("POST", "/chat"), 0.0, 0, (Chunk(0, raw),), End.COMPLETE, asked=asked)
    return Evidence(GUIDE, Profile("http://x", "guide"), [Transcript("reply", (exchange,))])


@pytest.mark.usefixtures("mood_check")
@pytest.mark.parametrize(("body", "outcome"), [({"mood": "calm"}, "pass"), ({"mood": 7}, "warn"), ({}, "warn")])
def test_a_requirement_with_its_check_is_judged(body: object, outcome: str) -> None:
    assert [row.outcome for row in judge.judge([requirement()], evidence(body))] == [outcome]


def test_a_requirement_needs_exactly_one_way_to_be_judged() -> None:
    twice = f"requirements:\n{snippet('Add a requirement', 'yaml')}  untestable: some day\n"
    with pytest.raises(BadFile):
        read_text(twice, "snippet", "requirements")


def test_a_fault_is_a_row() -> None:
    fault = eval(snippet("Add a fault", "python"), {"Fault": Fault, "Layer": Layer})
    body = b'{"agent_id": "echo", "message": "Hi", "stream": false}'
    request = HttpRequest("POST", "/chat", {"authorization": "Bearer key-valid"}, body)
    plain, shouting = (Backend([GUIDE], layers=layers).reply(request, 0.0) for layers in ((), (fault.layer,)))
    assert b"RESPONSE" not in plain.writes[0].data
    assert b"RESPONSE" in shouting.writes[0].data


def test_a_dialect_is_a_folder(tmp_path: Path) -> None:
    """The files that the recipe names are enough for a dialect of another name."""
    folder = tmp_path / "copied"
    folder.mkdir()
    for name in ("dialect.yaml", "openapi.yaml", "requirements.yaml"):
        assert f"`{name}`" in TEXT
        shutil.copy(ROOT / "tests" / "dialects" / "echo" / name, folder / name)
    data = yaml.safe_load((folder / "dialect.yaml").read_text("utf-8"))
    (folder / "dialect.yaml").write_text(yaml.safe_dump({**data, "name": "copied"}), "utf-8")
    copied = spec.dialect(folder)
    read(folder / "requirements.yaml", "requirements")
    assert copied.name == "copied"
    assert Backend([copied]).realms.keys() == {"copied"}


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:spec|simulator|conformance|tests)/[\w./]*\w/?)`", TEXT))))
def test_every_place_that_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()
