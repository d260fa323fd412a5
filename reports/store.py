"""Files written whole or not at all: a reader never finds half of a report, and a full disk leaves what was there before."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def store(path: Path, text: str) -> None:
    r"""Write a text file in UTF-8 with ``\n``, folders on the way included; ``OSError`` leaves the old file as it was.

    What is no plain file (a pipe, ``/dev/stdout``) is written as it stands.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not _plain(path):
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        return
    place = Path(os.path.realpath(path))
    beside = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):
            beside.chmod(stat.S_IMODE(place.stat().st_mode))
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def hindrance(path: Path) -> str | None:
    """Why nothing could be written there, as far as that can be seen beforehand; ``None`` if nothing is in the way."""
    try:
        return _hindrance(path)
    except OSError as error:
        return error.strerror or str(error)


def _hindrance(path: Path) -> str | None:
    if path.is_dir():
        return "is a folder"
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        return f"{folder} is no folder"
    writable = os.access(path if path.exists() else folder, os.W_OK)
    return None if writable else "permission denied"


def _plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return True
