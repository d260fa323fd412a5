"""What a user gave us, checked: one clear line and exit code 2 for each mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from .spec import BadFile, Dialect, dialect, did_you_mean, names
from .spec.load import UnknownDialect


def fail(message: str) -> NoReturn:
    """End with that line on standard error and exit code 2."""
    click.echo(f"chatproof: {message}" if not message[:1].isspace() else message, err=True)
    raise SystemExit(2)


def good_file(read: Callable[[Path], Any], path: Path) -> Any:
    """What ``read`` makes of the file; its mistakes are printed, one a line."""
    try:
        return read(path)
    except BadFile as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None


def dialect_named(name: str) -> Dialect:
    """The dialect of that name or in that folder."""
    try:
        return dialect(name)
    except UnknownDialect:
        known = list(names())
        fail(
            f"no dialect {name!r}{did_you_mean(name, known)}: expected {', '.join(known)}, or a folder with a dialect.yaml"
        )
    except BadFile as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None
