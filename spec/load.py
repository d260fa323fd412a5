"""From the files of a dialect's folder to nouns. Packaged folders are trusted; a folder given by path is checked first."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .files import did_you_mean, read, read_trusted
from .model import (
    Ambiguity,
    Citation,
    Dialect,
    ErrorRow,
    Limits,
    Operation,
    Plan,
    Reading,
    Request,
    Requirement,
    Roles,
    Row,
    Shape,
    Switch,
    Vector,
)

ROOT = Path(__file__).parent
WEB = "web"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class UnknownDialect(ValueError):
    """No packaged dialect has that name, and it is not a folder with a ``dialect.yaml`` either: the text names those there are."""


@cache
def names() -> tuple[str, ...]:
    """The packaged dialects, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in ROOT.glob("*/dialect.yaml")))


def dialect(name: str | Path) -> Dialect:
    """The dialect of that name, or the one in that folder; ``UnknownDialect`` or ``BadFile`` if there is none."""
    folder = _folder(str(name))
    path = folder / "dialect.yaml"
    data = read_trusted(path) if folder.parent == ROOT else read(path, "dialect")
    return _dialect(data, folder)


def known_as(one: Dialect) -> str:
    """What ``dialect`` finds it by, in another process too: its name, or its folder."""
    return one.name if one.name in names() else str(one.folder)


def requirements(source: Dialect) -> tuple[Requirement, ...]:
    """What that dialect's documents require, then what the inherited standards do."""
    rows: list[Requirement] = []
    for folder in (source.folder, ROOT / WEB):
        rows += _packaged(folder) if folder.parent == ROOT else _rows(folder)
    return tuple(rows)


def _rows(folder: Path) -> tuple[Requirement, ...]:
    return tuple(_requirement(row) for row in _read(folder / "requirements.yaml", "requirements")["requirements"])


_packaged = cache(_rows)
"""The requirements of a folder that nobody edits while we run."""


def ambiguities() -> tuple[Ambiguity, ...]:
    """The register of open questions and our rulings."""
    data = _read(ROOT / "ambiguities.yaml", "ambiguities")
    return tuple(
        Ambiguity(
            row["id"],
            row["question"],
            tuple(Reading(**one) for one in row["readings"]),
            row["ruling"],
            tuple(row["dialects"]),
            tuple(Reading(**one) for one in row.get("quirks", ())),
        )
        for row in data["ambiguities"]
    )


def presets() -> Mapping[str, Plan]:
    """Plans of ours, for where a document has no figures for a plan of that name."""
    return {name: Plan(name, **row) for name, row in read_trusted(ROOT / "presets.yaml")["plans"].items()}


def vectors(folder: str | Path) -> tuple[Vector, ...]:
    """The golden bytes of a dialect's folder, or of ``web``."""
    data = _read(_folder(str(folder)) / "vectors.yaml", "vectors")
    return tuple(_vector(row) for row in data["vectors"])


def seconds(text: str | float) -> float:
    """``24h``, ``5s``, ``90`` -> seconds."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", str(text))
    if match is None:
        raise ValueError(f"expected a duration such as 30s, 5m or 24h, got {text!r}")
    return float(match[1]) * SECONDS.get(match[2], 1)


def _folder(name: str) -> Path:
    if name == WEB or name in names():
        return ROOT / name
    if os.path.isfile(Path(name) / "dialect.yaml"):  # the one of Path raises where a name is too long
        return Path(name).resolve()
    known = list(names())
    near = did_you_mean(name, known)
    raise UnknownDialect(f"no dialect {name!r}{near}: expected {', '.join(known)}, or a folder with a dialect.yaml")


def _read(path: Path, schema: str) -> Any:
    return read_trusted(path) if path.is_relative_to(ROOT) else read(path, schema)


def _dialect(data: Mapping[str, Any], folder: Path) -> Dialect:
    request, limits, errors = data["request"], data["limits"], data["errors"]
    expiry = data.get("session_expiry")
    switch = request.get("switch", {"default": False})
    return Dialect(
        name=data["name"],
        title=data["title"],
        folder=folder,
        mount=data["mount"],
        documents=tuple(data["documents"]),
        agent_prefix=data.get("agent_prefix"),
        session_expiry_s=int(seconds(expiry)) if expiry else None,
        operations=tuple(
            Operation(op["id"], op["method"], op["path"], op["mode"], tuple(op.get("aliases", ())))
            for op in data["operations"]
        ),
        request=Request(
            chat=_roles(request["chat"]),
            required=tuple(request["required"]),
            nullable=tuple(request.get("nullable", ())),
            switch=Switch(switch["default"], switch.get("accept", False), switch.get("ruling")),
            keys=_roles(request.get("keys", {})),
        ),
        reply=_shape(data["reply"]),
        key_reply=_shape(data["key_reply"]) if "key_reply" in data else None,
        stream=tuple(Row(row["event"], _shape(row), row.get("literal")) for row in data["stream"]),
        errors={name: _error(name, row, errors["shape"]) for name, row in errors["rows"].items()},
        plans={name: Plan(name, **plan) for name, plan in data["plans"].items()},
        limits=Limits(**limits["headers"], retry_after=limits["retry_after"], promised=limits["promised"]),
    )


def _roles(data: Mapping[str, Any]) -> Roles:
    return {role: (at,) if isinstance(at, str) else tuple(at) for role, at in data.items()}


def _shape(data: Mapping[str, Any]) -> Shape:
    return Shape(_roles(data.get("roles", {})), dict(data.get("constants", {})), _roles(data.get("optional", {})))


def _error(name: str, row: Mapping[str, Any], default: Mapping[str, Any]) -> ErrorRow:
    return ErrorRow(
        refusal=name,
        status=row["status"],
        message=row["message"],
        shape=_shape({**default, **{key: row[key] for key in ("roles", "constants") if key in row}}),
        accept=tuple(row.get("accept", (row["status"],))),
        code=row.get("code"),
        documented=row.get("documented", True),
        ruling=row.get("ruling"),
    )


def _requirement(row: Mapping[str, Any]) -> Requirement:
    return Requirement(**{**row, "citation": Citation(**row["citation"])})


def _vector(row: Mapping[str, Any]) -> Vector:
    chunks = row.get("chunks")
    return Vector(
        id=row["id"],
        kind=row["kind"],
        source=row["source"],
        data=_bytes(row),
        means=row["means"],
        chunks=tuple(bytes.fromhex(chunk) for chunk in chunks) if chunks else None,
        note=row.get("note", ""),
    )


def _bytes(row: Mapping[str, Any]) -> bytes:
    text: str | None = row.get("text")
    return bytes.fromhex(row["hex"]) if text is None else text.encode("utf-8")
