"""What ``chatproof serve`` does: the flags, in the simulator's words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

OF_A_RECORDING = ("journal", "journal_file", "log_format", "quiet")
RECORDS = {*OF_A_RECORDING, "record", "out", "dialects", "host", "port"}
"""The options of ``serve`` that mean something while it records."""


def main(
    *,
    dialects: tuple[str, ...],
    host: str,
    port: int,
    record: str | None,
    out: Path | None,
    given: Mapping[str, str],
    faults: tuple[str, ...],
    no_magic: bool,
    **more: Any,
) -> int:
    """See ``chatproof serve --help``; returns the exit code. ``given``: the options that were really given, name -> flag."""
    if record is not None:
        return _record(record, out, dialects, host, port, given, more)
    if out is not None:
        raise click.UsageError("--out is for the script of a recording: it needs --record URL")
    if "control_token" in given and "control" not in given:
        raise click.UsageError("--control-token is for the control API: it needs --control [HOST:]PORT")
    from .simulator.serve import serve

    return serve(dialects, host, port, fault=faults, magic=not no_magic, **more)


def _record(
    url: str,
    out: Path | None,
    dialects: tuple[str, ...],
    host: str,
    port: int,
    given: Mapping[str, str],
    more: dict[str, Any],
) -> int:
    if out is None:
        raise click.UsageError("--record needs --out FILE, the script to be written")
    stray = sorted(given.keys() - RECORDS)
    if stray:
        raise click.UsageError(f"{given[stray[0]]} does not go with --record: a real server answers")
    from .simulator.record.serve import record

    return record(url, out, dialects, host=host, port=port, **{name: more[name] for name in OF_A_RECORDING})
