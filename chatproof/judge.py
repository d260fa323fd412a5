"""``chatproof judge``: recorded transcripts, judged again with today's checks."""

from __future__ import annotations

from pathlib import Path

from . import __version__
from .conformance.rejudge import judge_file
from .conformance.result import as_json
from .conformance.run import Options, exit_code
from .inputs import fail
from .output import show, write_faces
from .spec import BadFile
from .spec.load import UnknownDialect


def main(
    *,
    transcripts: tuple[Path, ...],
    json_file: Path | None,
    level: str,
    select: tuple[str, ...],
    strict: bool,
    verbose: bool,
) -> int:
    """See ``chatproof judge --help``; returns the exit code."""
    runs = []
    for path in transcripts:
        try:
            runs.append(judge_file(path, Options(level, select)))
        except BadFile as error:
            fail(str(error))
        except (KeyError, TypeError, UnknownDialect) as error:
            fail(f"{path}:1:1: the header does not tell enough of the run: {error}")
    result = as_json(runs, __version__)
    good = json_file == Path("-") or show(result, verbose=verbose)
    good &= write_faces(result, [(".json", json_file)])
    code = exit_code(runs, strict=strict)
    return code if good or code else 2
