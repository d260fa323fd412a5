"""``chatproof report``: results that were written earlier, shown or turned into another face."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from . import __version__
from .inputs import fail
from .output import show
from .reports.write import LOAD, BadReport, load, write

PAGE = ".html"


def main(*, files: tuple[Path, ...], targets: tuple[Path, ...], opens: bool, verbose: bool) -> int:
    """See ``chatproof report --help``."""
    try:
        whole = _together([load(path) for path in files])
        pages = [target for target in targets if target.suffix.lower() == PAGE]
        if opens and not pages:
            pages = [Path(tempfile.mkdtemp(prefix="chatproof-")) / "report.html"]
        for target in dict.fromkeys([*targets, *pages]):
            write(whole, target)
    except BadReport as error:
        fail(str(error))
    good = bool(targets or opens) or show(whole, verbose=verbose)
    if opens:
        _open(pages[0])
    return 0 if good else 2


def _together(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Several reports as one."""
    if len(results) > 1 and any(result["kind"] == LOAD for result in results):
        fail("FILES: several load runs make no one report; chatproof compare holds them against each other")
    runs = [run for result in results for run in result.get("runs", [result])]
    return runs[0] if len(runs) == 1 else {"chatproof": __version__, "kind": "verifications", "runs": runs}


def _open(page: Path) -> None:
    """Show the page, and say where it is: where no browser can be started, that is all one needs."""
    url = page.resolve().as_uri()
    started = click.launch(url) == 0
    click.echo(url if started else f"no browser could be started; the page is {url}")
