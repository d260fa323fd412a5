"""What the tests of the pytest plugin share: a simulated server, and the items that one run of it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from chatproof.simulator.app import running
from chatproof.spec import dialect, requirements

PLUGIN = "chatproof.conformance.plugin"
SSE = ("--chatproof-select", "sse/*")
IDS = [row.id for row in requirements(dialect("guide")) if row.id.startswith("sse/")]
NODES = [f"chatproof::guide::{name}" for name in (*IDS, "verdict")]
Run = Callable[..., pytest.RunResult]


@contextmanager
def serving(fault: str | None = None) -> Iterator[tuple[str, list[str]]]:
    """A simulated server's address, and a line for every request that it has answered."""
    log: list[str] = []
    with running(["guide"], fault=fault, log=log.append) as server:
        yield server.url("guide"), log


def items(result: pytest.RunResult) -> list[str]:
    return [line.split()[0] for line in result.outlines if line.startswith("chatproof::")]
