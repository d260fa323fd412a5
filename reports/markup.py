"""HTML that is escaped by construction: only ``tag`` makes markup, and whatever is not markup it escapes."""

from __future__ import annotations

from html import escape

from .text import CODE, visible

VOID = ("input",)


class Markup(str):
    """Text that is HTML already."""


Child = str | None


def tag(name: str, *children: Child, **attributes: str | bool | int | None) -> Markup:
    """An element. Children that are not ``Markup`` are made visible and escaped; ``None`` is left out.

    Attributes: ``True`` gives a bare name, ``False`` and ``None`` leave it out; a trailing underscore is dropped (``class_``)
    and inner ones become hyphens (``data_copy``).
    """
    start = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{start}>")
    return Markup(f"<{name}{start}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """The children after one another, escaped where they are not markup."""
    return Markup(
        "".join(child if isinstance(child, Markup) else _text(child) for child in children if child is not None)
    )


def prose(text: str) -> Markup:
    """Text in which `` `code` `` is code."""
    parts = CODE.split(text)
    return join(*(tag("code", part) if index % 2 else part for index, part in enumerate(parts)))


def _attribute(name: str, value: str | bool | int | None) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(visible(str(value)))}"'


def _text(child: str) -> str:
    return escape(visible(child, keep="\n"), quote=False)
