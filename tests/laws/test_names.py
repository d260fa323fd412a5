"""No Python knows a dialect: their names stand in ``spec/`` and in tests, and nowhere else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from chatproof.spec import dialect, names

ROOT = Path(__file__).parents[2]
ROOMS = ("chatproof", "simulator", "conformance", "reports", "spec")
SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
WORDS = {word for name in names() for word in (name, dialect(name).mount, *dialect(name).documents)}


def literals(text: str) -> set[str]:
    """The string constants of a source that are no docstrings."""
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    }


def named(text: str) -> set[str]:
    """Dialects named by a literal that is the name, or has it in it as a path, a pattern or an id would."""
    found = literals(text)
    return {word for word in WORDS if any(re.search(rf"(?<![\w -]){re.escape(word)}(?![\w -])", one) for one in found)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_names_a_dialect(path: Path) -> None:
    assert named(path.read_text("utf-8")) == set()


def test_a_name_is_seen() -> None:
    assert named('if dialect.name == "guide":\n    pass\n') == {"guide"}
    assert named('url = "/slug/v1"\n') == {"slug", "/slug"}
    assert named('"""The guide."""\nx = "the rest of it"\n') == set()
