"""The simulator as a process of its own, for a load that has no target: its work must not be the generator's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from .conformance.profile import Profile
from .conformance.profile import profile as profile_of
from .inputs import dialect_named, fail
from .spec import Dialect, known_as

BANNER_ENDS = "keys"


class Simulated(NamedTuple):
    """``control``: where its control API listens, if ``--control`` was among the flags."""

    profile: Profile
    dialect: Dialect
    control: str | None


@contextmanager
def simulated(name: str, data: dict[str, Any] | None = None, more: Iterable[str] = ()) -> Iterator[Simulated]:
    """One dialect served on a free port for as long as the block lasts. ``data``: what else its profile says; ``more``: flags of ``serve``."""
    from .simulator.population import profile as population

    dialect = dialect_named(name)
    flags = ("--port", "0", "--quiet", "--journal", "0", "--dialect", known_as(dialect), *more)
    command = [sys.executable, "-m", "chatproof", "serve", *flags]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, start_new_session=True
    ) as server:
        try:
            assert server.stdout is not None
            urls = _urls(server.stdout)
            if "chatproof" not in urls:
                fail("the simulator did not start")
            told = {**population(dialect), **(data or {}), "base_url": urls["chatproof"], "dialect": known_as(dialect)}
            yield Simulated(profile_of(told), dialect, urls.get("control"))
        finally:
            server.terminate()


def _urls(banner: Iterable[str]) -> dict[str, str]:
    """The URLs that ``serve`` prints when it is ready, by the first word of their lines."""
    urls = {}
    for line in banner:
        words = line.split()
        if words == [BANNER_ENDS]:
            break
        if url := next((word for word in words if word.startswith("http://")), None):
            urls[words[0]] = url
    return urls
