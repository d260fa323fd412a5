"""A dialect's tables as functions that read the ordinary quickly; what is not ordinary they leave to the judge's reader (``reading``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..conformance import reading
from ..conformance.reading import MISSING
from ..spec import Dialect, Row, Shape

NEEDED = ("text", "session", "input_tokens", "output_tokens", "total_tokens")
"""The roles of a reply that a load looks at."""


@dataclass(frozen=True)
class Compiled:
    """``text_of``: the text of a stream's JSON event that is surely a text, else ``None``. ``literals``: rows that are no JSON, by their data.
    ``roles_of``: what stands at the needed roles of a reply's JSON.
    """

    text_of: Callable[[dict[str, Any]], str | None]
    literals: Mapping[bytes, Row]
    roles_of: Callable[[Any], Mapping[str, Any]]


def compiled(dialect: Dialect) -> Compiled:
    """Made once for a dialect, whose folder is its identity."""
    found = _COMPILED.get(dialect.folder)
    if found is None:
        literals = {row.literal.encode(): row for row in dialect.stream if row.literal is not None}
        found = _COMPILED[dialect.folder] = Compiled(_text_of(dialect), literals, _roles_of(dialect.reply))
    return found


_COMPILED: dict[Path, Compiled] = {}


def _roles_of(shape: Shape) -> Callable[[Any], Mapping[str, Any]]:
    """Walks objects alone; a list or anything else on the way is for the judge's reader to walk."""
    places = {**shape.roles, **shape.optional}
    paths = [(role, [_parts(pointer) for pointer in places[role]]) for role in NEEDED if role in places]

    def read(value: Any) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for role, ways in paths:
            for way in ways:
                place = value
                for part in way:
                    if type(place) is not dict:
                        return reading.roles(value, shape)
                    place = place.get(part, MISSING)
                    if place is MISSING:
                        break
                else:
                    found[role] = place
                    break
        return found

    return read


def _parts(pointer: str) -> tuple[str, ...]:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _text_of(dialect: Dialect) -> Callable[[dict[str, Any]], str | None]:
    rows = [row for row in dialect.stream if row.literal is None]
    delta = next((row for row in rows if row.event == "delta"), None)
    pointers = delta.shape.roles.get("text", ()) if delta else ()
    constants = dict(delta.shape.constants) if delta else {}
    plain = all(pointer.count("/") == 1 and "~" not in pointer for pointer in (*pointers, *constants))
    if (
        delta is None
        or len(pointers) != 1
        or not plain
        or len(constants) > 1
        or (not constants and delta is not rows[0])
    ):
        return lambda value: None
    text_key = pointers[0][1:]
    if not constants:
        return lambda value: text if type(text := value.get(text_key)) is str else None
    ((pointer, wanted),) = constants.items()
    kind_key = pointer[1:]

    def read(value: dict[str, Any]) -> str | None:
        text = value.get(text_key)
        return text if type(text) is str and value.get(kind_key) == wanted else None

    return read
