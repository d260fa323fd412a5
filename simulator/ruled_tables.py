"""Readings of the open questions that are another table: a dialect in, the same dialect by that reading out. Pure.

A dialect that a question does not touch comes out as it went in: what it touches is seen in its table, never by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..spec import Dialect, ErrorRow, EventKind, Roles, Shape

Table = Callable[[Dialect], Dialect]


def forms(*roles: str) -> Table:
    """Of the further places at which a request may have a role, only those of these roles are taken (AMB-02)."""

    def table(plain: Dialect) -> Dialect:
        chat = {role: at if role in roles else at[:1] for role, at in plain.request.chat.items()}
        return replace(plain, request=replace(plain.request, chat=chat))

    return table


def switch_by_body(plain: Dialect) -> Dialect:
    """Where no document says how a stream is asked for, an ``Accept`` header does not (AMB-03)."""
    if plain.request.switch.ruling is None:
        return plain
    return replace(plain, request=replace(plain.request, switch=replace(plain.request.switch, accept=False)))


def switch_by_accept(plain: Dialect) -> Dialect:
    """Where no document says how a stream is asked for, the body does not (AMB-03)."""
    if plain.request.switch.ruling is None:
        return plain
    chat = {role: at for role, at in plain.request.chat.items() if role != "stream"}
    return replace(plain, request=replace(plain.request, chat=chat))


def in_event(kind: EventKind, role: str) -> Table:
    """Events of that kind have a role that their table leaves to the server (AMB-05, AMB-06)."""

    def shape(plain: Shape) -> Shape:
        return replace(plain, roles={**plain.roles, role: plain.optional[role]}) if role in plain.optional else plain

    def table(plain: Dialect) -> Dialect:
        rows = (replace(row, shape=shape(row.shape)) if row.event == kind else row for row in plain.stream)
        return replace(plain, stream=tuple(rows))

    return table


def status(refusal: str, code: int) -> Table:
    """That refusal has that one of the statuses which are in question (AMB-08, AMB-22), and its documented code."""

    def table(plain: Dialect) -> Dialect:
        row = plain.errors[refusal]
        if code not in row.accept or code == row.status:
            return plain
        others = (one for one in plain.errors.values() if one.documented and one.status == code and one.code)
        named = next((one.code for one in others), row.code)
        return _with_rows(plain, {refusal: replace(row, status=code, code=named)})

    return table


def code_at(pointer: str) -> Table:
    """The code of a refusal stands there, and its message beside it (AMB-10)."""
    beside = pointer.rpartition("/")[0] + "/message"

    def moved(roles: Roles) -> Roles:
        first = {"code": pointer, "message": beside}
        return {role: tuple(sorted(at, key=lambda one: one != first.get(role))) for role, at in roles.items()}

    def table(plain: Dialect) -> Dialect:
        asked = (row for row in plain.errors.values() if pointer in row.shape.roles.get("code", ()))
        return _with_rows(
            plain, {row.refusal: replace(row, shape=replace(row.shape, roles=moved(row.shape.roles))) for row in asked}
        )

    return table


def one_path(plain: Dialect) -> Dialect:
    """Each operation is found at the path of the samples alone (AMB-14)."""
    return replace(plain, operations=tuple(replace(one, aliases=()) for one in plain.operations))


def own_shape(ambiguity: str) -> Table:
    """Refusals whose bodies rest on that question alone have a body of their own making (AMB-17)."""

    def table(plain: Dialect) -> Dialect:
        rows = (row for row in plain.errors.values() if row.ruling == ambiguity)
        return _with_rows(plain, {row.refusal: replace(row, shape=Shape({"message": ("/message",)})) for row in rows})

    return table


def _with_rows(plain: Dialect, rows: dict[str, ErrorRow]) -> Dialect:
    return replace(plain, errors={**plain.errors, **rows}) if rows else plain
