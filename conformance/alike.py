"""JSON values that no schema of a kind can tell apart, so that of a stream of thousands one event of each kind is validated.

A schema that says nothing of strings but their type, their emptiness and some constants sees no difference between two
texts. ``Alike`` finds out which constants these are, or that the schema says more, and then nothing is alike.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

TELLING = frozenset({"pattern", "maxLength", "uniqueItems"})
"""Keywords by which a schema tells texts apart that are no constants of its own. ``format`` and ``content…`` only annotate."""
OTHER = object()


class Alike:
    """What of a value matters to one schema."""

    def __init__(self, schema: Any) -> None:
        said = list(_said(schema))
        self.texts = frozenset(text for keyword, value in said for text in _constants(keyword, value))
        self.blind = not any(
            keyword in TELLING or (keyword == "minLength" and value not in (0, 1)) for keyword, value in said
        )

    def shape(self, value: Any) -> Hashable:
        """Equal for two values only if the schema takes both or neither; ``None`` where nothing of the kind can be said."""
        return self._shape(value) if self.blind else None

    def _shape(self, value: Any) -> Hashable:
        if isinstance(value, str):
            return value if not value or value in self.texts else OTHER
        if isinstance(value, dict):
            return ("{", *((name, self._shape(item)) for name, item in value.items()))
        if isinstance(value, list):
            return ("[", *map(self._shape, value))
        return (type(value), value)


def _said(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every name in the schema with what stands under it, at any depth."""
    if isinstance(schema, Mapping):
        for name, value in schema.items():
            yield name, value
            yield from _said(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _said(item)


def _constants(keyword: str, value: Any) -> Iterator[str]:
    """The texts within a ``const`` or an ``enum``."""
    if keyword in ("const", "enum"):
        yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
