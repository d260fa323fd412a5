"""The faces of a load run, each made of its JSON alone (``schema/load.schema.json``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import load_csv, load_html, load_junit, load_markdown, load_text
from .integrity import FOOTER, seal

SCHEMA = Path(__file__).parent / "schema" / "load.schema.json"
Render = Callable[[dict[str, Any]], str]

RENDERERS: dict[str, Render] = {
    ".html": load_html.render,
    ".json": lambda result: json.dumps(seal(result), indent=1) + "\n",
    ".csv": load_csv.render,
    ".xml": load_junit.render,
    ".md": load_markdown.render,
    ".txt": load_text.render,
}
"""Which file name gets which face."""
FACES = {".json": "json_file", ".html": "html_file", ".csv": "csv_file", ".xml": "junit_file", ".md": "markdown_file"}
"""Face -> the option that asks for it."""


def problems(data: Any) -> Iterator[str]:
    """What is wrong with a report of a load run under its schema, ``where: what`` each; nothing if it is valid."""
    from jsonschema import Draft202012Validator

    data = {name: value for name, value in data.items() if name != FOOTER} if isinstance(data, dict) else data

    for error in Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).iter_errors(data):
        spot = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
        yield f"{spot.lstrip('.') or 'the report'}: {error.message[:200]}"
