"""From flags and a profile file to what is verified: the simulator in every dialect, or one target by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .conformance.profile import Profile, load_profile, profile
from .conformance.target import target
from .inputs import dialect_named, fail, good_file, good_words
from .spec import Dialect, names

Pairs = list[tuple[Profile, Dialect]]


@contextmanager
def targets(
    url: str | None,
    dialects: tuple[str, ...],
    profile_file: Path | None,
    api_key: str | None,
    agent: str | None,
    max_requests: int | None = None,
    pace: str | None = None,
) -> Iterator[Pairs]:
    """The profiles to verify, for as long as the block lasts. What is missing or wrong ends the program with exit code 2."""
    data = good_file(load_profile, profile_file) if profile_file else {}
    budget = {"requests": max_requests, "pace": _pace(pace)}
    data["budget"] = {**data.get("budget", {}), **{key: value for key, value in budget.items() if value is not None}}
    if url is None and "base_url" not in data:
        with _simulated(dialects, data) as pairs:
            yield pairs
    else:
        yield [_given(url, dialects, data, api_key, agent)]


@contextmanager
def _simulated(dialects: tuple[str, ...], data: dict[str, Any]) -> Iterator[Pairs]:
    """A simulator on a free port, and a profile of it for each dialect. A profile file may not speak of another target."""
    from .simulator.app import running
    from .simulator.population import profile as population

    stray = sorted(set(data) - {"budget", "deadlines", "rulings"})
    if stray:
        fail(f"the profile has {', '.join(stray)} but no base_url, and no URL was given")
    chosen = [dialect_named(name) for name in dialects or names()]
    with running(chosen) as server:
        yield [
            (profile({**population(one), **data, "base_url": server.url(one.name), "dialect": one.name}), one)
            for one in chosen
        ]


def _given(
    url: str | None, dialects: tuple[str, ...], data: dict[str, Any], api_key: str | None, agent: str | None
) -> tuple[Profile, Dialect]:
    """The one target that flags and file describe; whatever is missing is asked for by its flag."""
    if len(dialects) > 1:
        fail("one --dialect at a time with a URL: each has its own paths and keys")
    options = {"url": url, "dialect": next(iter(dialects), None), "api-key": api_key, "agent": agent}
    return good_words(lambda: target(data, options))


def _pace(text: str | None) -> str | int | None:
    if text is None or text in ("auto", "off"):
        return text
    if not text.isdecimal() or int(text) == 0:
        fail(f"--pace: expected auto, off or a number of requests a minute, got {text!r}")
    return int(text)
