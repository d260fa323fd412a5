"""``chatproof serve``. Nothing is imported here that ``serve`` does not need to accept."""

from __future__ import annotations

from typing import Any


def main(
    *,
    dialects: tuple[str, ...],
    host: str,
    port: int,
    seed: int,
    clock: str,
    faults: tuple[str, ...],
    no_magic: bool,
    **more: Any,
) -> int:
    """See ``chatproof serve --help``; returns the exit code."""
    from .simulator.serve import serve

    return serve(dialects, host, port, seed, clock, fault=faults, magic=not no_magic, **more)
