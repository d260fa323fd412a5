"""A dialect's tables as functions that read the ordinary quickly; what is not ordinary they leave to the judge's reader (``reading``)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..conformance import reading
from ..conformance.reading import MISSING
from ..spec import Dialect, Row, Shape

NEEDED = ("text", "session", "input_tokens", "output_tokens", "total_tokens")
"""The roles of a reply that a load looks at."""
STRING = r'([^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+)'
"""What may stand between the quotes of a JSON text."""
DIGIT = re.compile("[0-9]")


class Stated(NamedTuple):
    """The headers that tell of limits, and the one by whose clock they do; ``None`` where one is missing."""

    limit: str | None = None
    remaining: str | None = None
    reset: str | None = None
    date: str | None = None


@dataclass(frozen=True)
class Compiled:
    """``texts``: of a stream, the plain ones that it begins with, and its rest; all is rest where plain ones follow it. ``ValueError``: one is no JSON.

    ``text_of``: the text of an event's JSON that is surely a text, else ``None``. ``done_of``: the roles of one that surely ends the stream. ``literals``: rows that are no JSON, by their data.
    ``roles_of``: what stands at the needed roles of a reply's JSON. ``stating``: the names of the headers in ``Stated``, in lower case;
    ``stated`` reads them by where values stand in a head.
    """

    texts: Callable[[str], tuple[list[str], str]]
    text_of: Callable[[dict[str, Any]], str | None]
    done_of: Callable[[dict[str, Any]], Mapping[str, Any] | None]
    literals: Mapping[str, Row]
    roles_of: Callable[[Any], Mapping[str, Any]]
    stating: tuple[str, ...]
    stated: Callable[[bytes, Mapping[str, slice]], Stated]


def compiled(dialect: Dialect) -> Compiled:
    """Made once for a dialect, whose folder is its identity."""
    found = _COMPILED.get(dialect.folder)
    if found is None:
        literals = {row.literal: row for row in dialect.stream if row.literal is not None}
        limits = dialect.limits
        stating = (*(name.lower() for name in (limits.limit, limits.remaining, limits.reset)), "date")
        found = _COMPILED[dialect.folder] = Compiled(
            *_texts(dialect), _done_of(dialect), literals, _roles_of(dialect.reply), stating, _stated(stating)
        )
    return found


_COMPILED: dict[Path, Compiled] = {}


def _stated(names: tuple[str, ...]) -> Callable[[bytes, Mapping[str, slice]], Stated]:
    """An outline has no place for a name with a digit in it; where there is such a one, all are looked for in the head."""
    if any(map(DIGIT.search, names)):
        lines = [re.compile(rf"\r\n{re.escape(name)}: ([^\r\n]*)", re.IGNORECASE) for name in names]

        def search(head: bytes, _: Mapping[str, slice]) -> Stated:
            found = [line.search(head.decode("latin-1")) for line in lines]
            return Stated(*(None if match is None else match[1] for match in found))

        return search
    limit_name, remaining_name, reset_name, date_name = names

    def read(head: bytes, fields: Mapping[str, slice]) -> Stated:
        text, place = head.decode("latin-1"), fields.get
        limit, remaining, reset, date = place(limit_name), place(remaining_name), place(reset_name), place(date_name)
        return Stated(
            None if limit is None else text[limit],
            None if remaining is None else text[remaining],
            None if reset is None else text[reset],
            None if date is None else text[date],
        )

    return read


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


def _texts(dialect: Dialect) -> tuple[Callable[[str], tuple[list[str], str]], Callable[[dict[str, Any]], str | None]]:
    """Two ways to read a text: off the stream, and off an event's JSON."""
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
        or not all(isinstance(value, str) for value in constants.values())
    ):
        return (lambda told: ([], told)), (lambda _: None)
    text_key = pointers[0][1:]
    constant = next(((pointer[1:], value) for pointer, value in constants.items()), None)
    return _by_pattern(text_key, constant), _by_key(text_key, constant)


def _by_pattern(text_key: str, constant: tuple[str, str] | None) -> Callable[[str], tuple[list[str], str]]:
    """Events with the members of the table, in its order, and no others."""
    members = [f"{_quoted(constant[0])}: ?{_quoted(constant[1])}"] if constant else []
    event = re.compile("data: \\{" + ", ?".join([*members, f'{_quoted(text_key)}: ?"{STRING}"']) + "\\}\n\n")

    def read(told: str) -> tuple[list[str], str]:
        parts = event.split(told)
        texts, rest = parts[1::2], parts.pop()
        if any(parts[::2]):
            return [], told
        if "\\" in told:
            texts = [json.loads(f'"{text}"') if "\\" in text else text for text in texts]
        return texts, rest

    return read


def _quoted(text: str) -> str:
    return re.escape(json.dumps(text, ensure_ascii=False))


def _by_key(text_key: str, constant: tuple[str, str] | None) -> Callable[[dict[str, Any]], str | None]:
    if constant is None:
        return lambda value: text if type(text := value.get(text_key)) is str else None
    kind_key, wanted = constant

    def read(value: dict[str, Any]) -> str | None:
        text = value.get(text_key)
        return text if type(text) is str and value.get(kind_key) == wanted else None

    return read


def _done_of(dialect: Dialect) -> Callable[[dict[str, Any]], Mapping[str, Any] | None]:
    done = next((row for row in dialect.stream if row.event == "done" and row.literal is None), None)
    constants = dict(done.shape.constants) if done else {}
    if done is None or len(constants) != 1 or not all(pointer.count("/") == 1 for pointer in constants):
        return lambda _: None
    ((pointer, wanted),) = constants.items()
    (key,), roles_of = _parts(pointer), _roles_of(done.shape)
    return lambda value: roles_of(value) if value.get(key) == wanted else None
