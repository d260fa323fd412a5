"""Where the samples are run: the documents, a fresh simulator for each run, and the real curl, Python and Node.

Replaced in a sample: the two hosts, and ``AGENT_ID`` in a path. Added in front, never within: ``import json`` for Python,
since one sample uses it without importing it; in JavaScript the constants that an earlier sample of the same document
has set; for curl a shell function of that name, so that the command itself stays as printed. ``$THINNESTAI_…`` are real
environment variables.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from functools import cache
from http.client import parse_headers
from pathlib import Path
from typing import Any

import pytest

from chatproof import spec
from chatproof.simulator.app import Running, running
from chatproof.simulator.front import Log

from .samples import Sample, constants, indented, samples

DOCUMENTS = Path(__file__).parents[2] / "../shared/documents"
DIALECT = {document: name for name in spec.names() for document in spec.dialect(name).documents}
"""The dialect that each document describes."""

PLACES = ("root", "mount", "alone")
"""The root shared by all dialects; a dialect's own mount; the root of a simulator that serves one dialect only."""

HOST = re.compile(r"https://(?:api\.thinnest\.ai|PLATFORM-URL-PLACEHOLDER)")
AGENT = "agent_abc123"
ENVIRONMENT = {
    "THINNESTAI_API_KEY": "YOUR_API_KEY",
    "THINNESTAI_TOKEN": "YOUR_API_KEY",
    "NO_PROXY": "*",
    "no_proxy": "*",
}
DEADLINE_S = 20
CURL = f'curl() {{ command curl -q -sS -i --max-time {DEADLINE_S} "$@"; }}\n'


@dataclass(frozen=True)
class Answer:
    """What curl got: status, headers, body."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[str]:
        """The data of each event of a stream that is laid out as AMB-12 rules; ``ValueError`` for any other."""
        blocks = self.body.decode().split("\n\n")
        if blocks.pop() or not all(re.fullmatch("data: .+", block) for block in blocks):
            raise ValueError(f"expected one data line and an empty line for each event, got {self.body!r}")
        return [block.removeprefix("data: ") for block in blocks]


@dataclass(frozen=True)
class Stage:
    """A simulator and the address at which it serves one document's dialect."""

    server: Running
    url: str
    dialect: spec.Dialect

    def curl(self, code: str) -> Answer:
        """Run a curl command in a shell, as it is."""
        return _answer(_output(["bash", "-c", CURL + code], "curl"))

    def post(self, path: str, body: str, key: str) -> Answer:
        """Send a printed body as the curl samples send theirs."""
        words = ["curl", "-X", "POST", self.url + path, "-H", f"Authorization: Bearer {key}"]
        return self.curl(shlex.join([*words, "-H", "Content-Type: application/json", "-d", body]))

    def client(self, sample: Sample, after: str = "") -> str:
        """What a Python or JavaScript sample prints, with ``after`` as its last lines."""
        if sample.language == "python":
            return _output(
                [sys.executable, "-I", "-c", f"import json\n{self.at(indented(sample.code))}\n{after}"]
            ).decode()
        above = [one for one in printed(sample.document) if one.language == "javascript" and one.start < sample.start]
        code = "\n".join([*(constants(one.code) for one in above), sample.code, after])
        return _output(["node", "--input-type=module", "-e", self.at(code)]).decode()

    def at(self, code: str) -> str:
        """The sample with its host and the agent in its paths replaced."""
        return HOST.sub(self.url, code).replace("/AGENT_ID/", f"/{AGENT}/")


@contextmanager
def stage(document: str, place: str, clock: spec.Clock | None = None, log: Log | None = None) -> Iterator[Stage]:
    """A fresh simulator, since documented ids are given out once. Its clock stands still unless another is given."""
    name = DIALECT[document]
    with running([name] if place == "alone" else None, clock=clock or spec.FrozenClock(), log=log) as server:
        yield Stage(server, server.url(name) if place == "mount" else server.base_url, spec.dialect(name))


@cache
def printed(document: str) -> tuple[Sample, ...]:
    """The samples of a document; skips the test where it is absent."""
    return samples(document, text_of(document))


def text_of(document: str) -> str:
    """A document's text; skips the test where it is absent."""
    path = DOCUMENTS / document
    if not path.is_file():
        pytest.skip(f"the document {document} is not beside this repository")
    return path.read_text("utf-8")


def sample(id: str) -> Sample:
    """The sample of that id, or ``LookupError``; skips the test where its document is absent."""
    for one in printed(id.partition(",")[0]):
        if one.id == id:
            return one
    raise LookupError(id)


def _output(command: list[str], *needs: str) -> bytes:
    """What a program prints; it must end well and silently. Skips the test where it, or what it needs, is absent."""
    for program in (command[0], *needs):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    environment: Mapping[str, str] = {**os.environ, **ENVIRONMENT}
    ran = subprocess.run(
        command, check=False, env=environment, capture_output=True, timeout=2 * DEADLINE_S, stdin=subprocess.DEVNULL
    )
    if ran.returncode or ran.stderr:
        pytest.fail(f"{command[0]} ended with {ran.returncode}: {ran.stderr.decode()}\n{command[-1]}", pytrace=False)
    return ran.stdout


def _answer(raw: bytes) -> Answer:
    reader = io.BytesIO(raw)
    status = int(reader.readline().split()[1])
    return Answer(status, parse_headers(reader), reader.read())
