"""The wheel holds the tree, all of it and nothing else, and keeps to itself inside somebody's project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FOLDERS: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]
ROOMS = sorted({folder.partition("/")[0] for folder in FOLDERS.values()})

HOSTILE = {
    "load.py": "raise RuntimeError('the project of a user')",
    "spec.py": "raise RuntimeError('the project of a user')",
    "reports/__init__.py": "raise RuntimeError('the project of a user')",
    "conformance/__init__.py": "raise RuntimeError('the project of a user')",
    "conftest.py": "raise RuntimeError('the project of a user')",
    "pytest.ini": "[pytest]\naddopts = --no-such-option\n",
}

PLUGIN = [
    "--chatproof-url",
    "http://x",
    "--chatproof-dialect",
    "slug",
    "--chatproof-api-key",
    "k",
    "--chatproof-agent",
    "a",
    "--collect-only",
    "-q",
]
"""The pytest plugin, found by its entry point alone."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that no build folder is left in the tree."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_is_the_tree(wheel: Path) -> None:
    tree = {
        f"chatproof/{path.relative_to(ROOT)}" if room != "chatproof" else str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    }
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == tree


def test_every_folder_with_code_is_a_listed_package() -> None:
    with_code = {str(path.parent.relative_to(ROOT)) for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert with_code == set(FOLDERS.values())
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(FOLDERS)


def test_the_wheel_works_inside_a_project_with_names_like_ours(wheel: Path, tmp_path: Path) -> None:
    site, project = tmp_path / "site", tmp_path / "project"
    zipfile.ZipFile(wheel).extractall(site)
    for name, text in HOSTILE.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "chatproof", "verify", "--dialect", "slug", "--level", "must"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "slug: conformant" in done.stdout
    (tmp_path / "apart.ini").write_text("[pytest]\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(tmp_path / "apart.ini"),
        "--noconftest",
        "-W",
        "error",
        *PLUGIN,
    ]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "chatproof::slug::verdict" in done.stdout
    (project / "test_own.py").write_text("def test_own(chat_simulator): assert chat_simulator.url('slug')\n")
    command = [*command[: command.index("-W") + 2], "-p", "no:cacheprovider", "test_own.py"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    where = "import chatproof.conformance as c; print(c.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where], cwd=project, env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith(str(site))
