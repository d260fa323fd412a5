"""JSON Pointers (RFC 6901) as places to write: parents are made as needed, a numeric part makes a list."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any


@cache
def parts(pointer: str) -> tuple[str, ...]:
    """``/usage/a~1b`` -> ``("usage", "a/b")``."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def put(root: dict[str, Any], pointer: str, value: Any) -> None:
    """Write ``value`` at ``pointer``; ``ValueError`` if something that is no container stands on the way."""
    path = parts(pointer)
    at: Any = root
    for part, following in pairwise(path):
        at = _enter(at, part, [] if following.isdigit() else {}, pointer)
    _enter(at, path[-1], value, pointer, replace=True)


def _enter(at: Any, part: str, value: Any, pointer: str, replace: bool = False) -> Any:
    if isinstance(at, dict):
        if replace:
            at[part] = value
        return at.setdefault(part, value)
    if isinstance(at, list) and part.isdigit() and int(part) <= len(at):
        if int(part) == len(at):
            at.append(value)
        elif replace:
            at[int(part)] = value
        return at[int(part)]
    raise ValueError(f"{pointer}: nothing can be written below {part!r}")
