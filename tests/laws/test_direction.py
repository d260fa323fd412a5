"""Law 7: who may import whom, and who may touch a socket."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("spec", "simulator", "conformance", "load", "reports", "chatproof")
MAY: dict[str, set[str]] = {
    "spec": set(),
    "simulator": {"spec"},
    "conformance": {"spec"},
    "load": {"spec", "conformance"},
    "reports": set(),
    "chatproof": {"spec", "simulator", "conformance", "load", "reports"},
}
ONLY_IN: dict[str, tuple[str, ...]] = {
    "aiohttp": ("simulator/",),
    "h11": ("conformance/second_opinion.py",),
    "socket": ("conformance/connection.py", "conformance/wire.py", "simulator/pacer.py"),
    "ssl": (
        "conformance/connection.py",
        "conformance/wire.py",
    ),
    "schemathesis": ("conformance/contract.py",),
    "hypothesis": ("conformance/contract.py",),
    "pytest": ("conformance/plugin.py", "conformance/allure.py", "chatproof/fixtures.py"),
    "allure": ("conformance/allure.py",),
    "allure_commons": ("conformance/allure.py",),
    "locust": ("load/",),
    "gevent": ("load/",),
    "httpx": (),
    "rich": ("reports/", "chatproof/"),
    "click": ("chatproof/",),
}
FRONT_DOOR = ("__init__.py", "__main__.py", "cli.py", "options.py", "load_options.py", "serve_options.py")
SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(path: Path, tree: ast.AST) -> Iterator[tuple[str, ...]]:
    """Every module that a file imports, as the parts of its name; relative ones as seen from the root."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            inside = ("chatproof", *path.relative_to(ROOT).parent.parts)
            inside = inside[1:] if inside[1:2] == ("chatproof",) else inside
            base = inside[: len(inside) - node.level + 1] if node.level else ()
            module = (*base, *(node.module.split(".") if node.module else ()))
            yield from ((*module, alias.name) for alias in node.names)


def breaches(path: Path, text: str) -> list[str]:
    room, name = path.relative_to(ROOT).parts[0], str(path.relative_to(ROOT))
    found = []
    for module in imported(path, ast.parse(text)):
        if module[0] == "chatproof":
            target = module[1] if module[1] in ROOMS else "chatproof"
            if target != room and target not in MAY[room]:
                found.append(f"{name} imports {'.'.join(module)}")
        elif module[0] in ROOMS or module[0] == "tests":
            found.append(f"{name} imports {module[0]} by its bare name")
        elif module[0] in ONLY_IN and not name.startswith(ONLY_IN[module[0]] or ("nowhere",)):
            found.append(f"{name} imports {module[0]}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_keep_their_direction(path: Path) -> None:
    assert breaches(path, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("conformance/run.py", "from ..simulator import encode"),
        ("conformance/checks/http.py", "from ...simulator.encode import block"),
        ("simulator/encode.py", "from ..conformance.sse import read"),
        ("spec/load.py", "from ..conformance import seen"),
        ("reports/html.py", "from ..spec import dialect"),
        ("conformance/run.py", "import aiohttp"),
        ("conformance/judge.py", "import socket"),
        ("simulator/app.py", "from chatproof.conformance import wire"),
        ("simulator/app.py", "import conformance"),
        ("load/turn.py", "from ..simulator import encode"),
        ("load/turn.py", "from ..reports import write"),
        ("conformance/run.py", "from ..load import outcome"),
        ("chatproof/load_command.py", "import gevent"),
    ],
)
def test_a_breach_is_seen(place: str, line: str) -> None:
    assert breaches(ROOT / place, line) != []


@pytest.mark.parametrize("name", FRONT_DOOR)
def test_the_front_door_opens_without_the_rooms(name: str) -> None:
    """At import the command line takes in click and nothing of ours but its version and its tables of options."""
    tree = ast.parse((ROOT / "chatproof" / name).read_text("utf-8"))
    at_import = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    taken = {module[:2] for module in imported(ROOT / "chatproof" / name, at_import) if module[0] == "chatproof"}
    assert {name for _, name in taken} <= {"__version__", "cli", "options", "load_options", "serve_options"}
