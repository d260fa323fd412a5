"""``chatproof spec``: the dialects' OpenAPI documents."""

from __future__ import annotations

import json
from typing import Any

import click
import yaml

from .inputs import dialect_named, fail
from .spec import dialect as load
from .spec import names, openapi


def main(*, dialect: str | None, bundle: bool, version: str, form: str) -> int:
    """See ``chatproof spec --help``."""
    if bundle and dialect:
        fail("a DIALECT or --bundle, not both")
    if not bundle and dialect is None:
        for name in names():
            one = load(name)
            click.echo(f"{name:<10}  {one.title}: {', '.join(f'{op.method} {op.path}' for op in one.operations)}")
        return 0
    document = (
        openapi.bundle([load(name) for name in names()])
        if dialect is None
        else openapi.document(dialect_named(dialect))
    )
    if version == "3.1":
        document = openapi.twin_31(document)
    click.echo(json.dumps(document, indent=2) if form == "json" else _yaml(document), nl=form == "json")
    return 0


class _Dumper(yaml.SafeDumper):
    """YAML without anchors, and long texts as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _yaml(document: dict[str, Any]) -> str:
    dumped: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return dumped
