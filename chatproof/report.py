"""``chatproof report``: results that were written earlier, shown or turned into another face."""

from __future__ import annotations

from pathlib import Path

from . import __version__
from .inputs import fail
from .output import show
from .reports.write import BadReport, load, write


def main(*, files: tuple[Path, ...], targets: tuple[Path, ...], verbose: bool) -> int:
    """See ``chatproof report --help``."""
    try:
        results = [load(path) for path in files]
        runs = [run for result in results for run in result.get("runs", [result])]
        whole = runs[0] if len(runs) == 1 else {"chatproof": __version__, "kind": "verifications", "runs": runs}
        for target in targets:
            write(whole, target)
    except BadReport as error:
        fail(str(error))
    if not targets:
        show(whole, verbose=verbose)
    return 0
