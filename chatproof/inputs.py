"""What a user gave us, checked: one clear line and exit code 2 for each mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from .spec import BadFile, Dialect, dialect

T = TypeVar("T")


def fail(message: str) -> NoReturn:
    """End with that line on standard error and exit code 2."""
    click.echo(f"chatproof: {message}" if not message[:1].isspace() else message, err=True)
    raise SystemExit(2)


def good_file(read: Callable[[Path], Any], path: Path) -> Any:
    """What ``read`` makes of the file; its mistakes are printed, one a line."""
    return good_words(lambda: read(path))


def good_words(make: Callable[[], T]) -> T:
    """What ``make`` makes of what the user gave; a ``BadFile`` or a ``ValueError`` of its ends the program with its words."""
    try:
        return make()
    except BadFile as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None
    except ValueError as error:
        fail(str(error))


def dialect_named(name: str) -> Dialect:
    """The dialect of that name or in that folder."""
    return good_words(lambda: dialect(name))
