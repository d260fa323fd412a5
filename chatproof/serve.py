"""``chatproof serve`` and ``chatproof faults``. Nothing is imported here that ``serve`` does not need to accept."""

from __future__ import annotations

import sys
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
    given: set[str],
    **more: Any,
) -> int:
    """See ``chatproof serve --help``; returns the exit code. ``given``: the options that were really given, by name."""
    if record is not None:
        return _record(record, out, dialects, host, port, given, more)
    if out is not None:
        raise click.UsageError("--out is for the script of a recording: it needs --record URL")
    from .simulator.serve import serve

    return serve(dialects, host, port, **more)


def _record(
    url: str, out: Path | None, dialects: tuple[str, ...], host: str, port: int, given: set[str], more: dict[str, Any]
) -> int:
    if out is None:
        raise click.UsageError("--record needs --out FILE, the script to be written")
    stray = sorted(given - RECORDS)
    if stray:
        raise click.UsageError(f"--{stray[0].replace('_', '-')} does not go with --record: a real server answers")
    from .simulator.record.serve import record

    return record(url, out, dialects, host=host, port=port, **{name: more[name] for name in OF_A_RECORDING})


def list_faults() -> None:
    """Each fault and each legal variant on a line."""
    from .simulator.faults import FAULTS
    from .simulator.variants import VARIANTS

    out = sys.stdout
    out.write("Faults: serve --fault NAME breaks one thing\n\n")
    for name, fault in FAULTS.items():
        out.write(f"  {name:<26}  {fault.on:<9}  {'; '.join(fault.breaks)}\n")
    out.write("\nVariants: serve --variant NAME answers in another legal way\n\n")
    for name, variant in VARIANTS.items():
        out.write(f"  {name:<26}  {variant.says}\n")
