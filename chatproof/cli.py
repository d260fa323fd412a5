"""The command line: what can be asked for. Everything else is imported by the command that needs it, when it runs.

Exit codes everywhere: 0 kept, 1 broken, 2 usage or a bad file, 3 incomplete.
"""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from . import __version__, load_options, serve_options
from .options import taking

PATH = click.Path(path_type=Path)
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, "-V", "--version", message="chatproof %(version)s")
def cli() -> None:
    """Proves chat servers and chat clients: verify a server, serve a fake one, read what the documents require.

    Exit codes: 0 kept, 1 broken, 2 usage or a bad file, 3 incomplete.
    """


TARGET = (
    click.argument("url", required=False),
    click.option("--dialect", "dialects", multiple=True, metavar="NAME|DIR", help="Which API; needed with URL."),
    click.option("--profile", "profile_file", type=PATH, help="YAML with keys and agents by role; flags override it."),
    click.option("--api-key", envvar="CHATPROOF_API_KEY", metavar="KEY", help="A valid key [env: CHATPROOF_API_KEY]."),
    click.option("--agent", metavar="ID", help="The agent to talk to."),
)
"""What says what is verified, the same for every command that meets a target."""
target = taking(TARGET)


@cli.command()
@target
@click.option("--level", type=click.Choice(["must", "should", "may"]), default="may", show_default=True)
@click.option("--select", multiple=True, metavar="GLOB", help="Only requirements with such ids, as 'session/*'.")
@click.option("--max-requests", type=click.IntRange(min=1), metavar="N", help="Stop before sending more.")
@click.option("--pace", metavar="auto|off|N", help="Requests a minute; auto stays below the advertised limit.")
@click.option("--seed", type=click.IntRange(min=0), help="Of the words and bodies that the judge makes up.")
@click.option("--strict", is_flag=True, help="Exit 1 for a failed SHOULD too.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.option("--baseline", type=PATH, metavar="FILE", help="Known failures: excused until they expire or are mended.")
@click.option("--write-baseline", type=PATH, metavar="FILE", help="Write what fails now as a baseline.")
@click.option("--out", type=PATH, metavar="DIR", help="Write every report, and the transcripts, there.")
@click.option("--json", "json_file", type=PATH, metavar="FILE", help="Write the result; - for standard output.")
@click.option("--junit", "junit_file", type=PATH, metavar="FILE", help="Write JUnit XML.")
@click.option("--html", "html_file", type=PATH, metavar="FILE", help="Write a page for people.")
@click.option("-v", "--verbose", is_flag=True, help="Show every requirement.")
def verify(**options: Any) -> None:
    """Verify the server at URL against the documents, byte by byte.

    Without a URL (and a profile that has one), the simulator is started and all dialects are verified.
    """
    from .verify import main as verify_main

    sys.exit(verify_main(**options))


@cli.command()
@target
@click.option("--level", type=click.Choice(["must", "should", "may"]), default="may", show_default=True)
@click.option("--select", multiple=True, metavar="GLOB", help="Only requirements with such ids, as 'session/*'.")
@click.option("--pace", metavar="auto|off|N", help="As for verify.")
def plan(**options: Any) -> None:
    """Say how many requests a verification would send, with which keys, and how long it would wait. Sends one."""
    from .prepare import plan as plan_main

    sys.exit(plan_main(**options))


@cli.command()
@target
def doctor(**options: Any) -> None:
    """Say whether a profile is usable: reachable, one good exchange per operation, and what would stay open and why."""
    from .prepare import doctor as doctor_main

    sys.exit(doctor_main(**options))


@cli.command()
@click.argument("url", required=False)
@click.option("--script", "script", is_flag=True, help="Write a script for `serve --script` instead; no URL needed.")
@click.option("--dialect", "dialect_name", metavar="NAME|DIR", help="Which API; needed with URL.")
@click.option("--api-key", envvar="CHATPROOF_API_KEY", metavar="KEY", help="Probe with this key; it is not written.")
@click.option("--agent", metavar="ID", help="The agent to talk to.")
@click.option("--from-har", type=PATH, metavar="FILE", help="With --script: write what that HTTP Archive holds as one.")
@click.option("--out", type=PATH, metavar="FILE", help="[default: profile.yaml, or script.yaml]")
def init(url: str | None, script: bool, from_har: Path | None, out: Path | None, **options: Any) -> None:
    """Write a commented profile for the server at URL, or with --script a commented script for the fake backend.

    With --script --from-har the script is made of an archive that a browser's network panel, or a journal of ours, has saved.
    """
    if from_har is not None:
        if not script or url or options["agent"]:
            raise click.UsageError(
                "--from-har goes with --script, and with no URL and no option but --dialect and --out"
            )
        from .script_command import from_archive

        sys.exit(from_archive(from_har, out or Path("script.yaml"), options["dialect_name"]))
    if script:
        if url or options["dialect_name"] or options["agent"]:
            raise click.UsageError("--script takes no URL and no option but --out (and --from-har)")
        from .script_command import init as init_script

        sys.exit(init_script(out or Path("script.yaml")))
    if url is None:
        raise click.UsageError("Missing argument 'URL'.")
    if options["dialect_name"] is None:
        raise click.UsageError("Missing option '--dialect'.")
    from .prepare import init as init_main

    sys.exit(init_main(url=url, out=out or Path("profile.yaml"), **options))


@cli.command()
@click.argument("transcripts", nargs=-1, required=True, type=PATH)
@click.option("--json", "json_file", type=PATH, metavar="FILE", help="Write the result; - for standard output.")
@click.option("--level", type=click.Choice(["must", "should", "may"]), default="may", show_default=True)
@click.option("--select", multiple=True, metavar="GLOB", help="Only requirements with such ids.")
@click.option("--strict", is_flag=True, help="Exit 1 for a failed SHOULD too.")
@click.option("-v", "--verbose", is_flag=True, help="Show every requirement.")
def judge(**options: Any) -> None:
    """Judge recorded TRANSCRIPTS again with today's checks; no network."""
    from .judge import main as judge_main

    sys.exit(judge_main(**options))


@cli.command()
@taking(serve_options.OPTIONS)
@click.pass_context
def serve(context: click.Context, /, **options: Any) -> None:
    """Serve a fake backend that keeps the documents: sessions, keys, plans, limits, balances.

    With --record it is a proxy in front of a real server instead, which writes a script to be served later.
    """
    from .serve import main as serve_main

    told = {one.name or "": one.opts[-1] for one in context.command.params}
    given = {name: told[name] for name in options if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    sys.exit(serve_main(given=given, **options))


@cli.command(cls=load_options.Objectives)
@target
@taking(load_options.OPTIONS)
def load(**options: Any) -> None:
    """Load the server at URL, and say whether it is still correct while loaded.

    Without a URL the simulator is started and loaded. `chatproof load calibrate` measures what this machine adds to the times.
    Metrics: ttfb, ttft, gap, stall, unit-time, text-rate, duration. Docs: docs/load.md.
    """
    from .load.patch import patch

    try:
        patch()
    except ModuleNotFoundError:
        raise click.UsageError("load needs the extra `load`: pip install 'chatproof[load]'") from None
    from .load_command import main as load_main

    sys.exit(load_main(**options))


@cli.command()
@click.argument("files", nargs=-1, type=PATH)
@click.option("--dialect", "dialects", multiple=True, metavar="NAME|DIR", help="As for serve: where it will be played.")
@click.option("--strict", is_flag=True, help="Exit 2 for a warning too.")
@click.option("--schema", "print_schema", is_flag=True, help="Print the JSON Schema of scripts, for editors.")
def check(**options: Any) -> None:
    """Check script FILES for `serve --script`: every mistake at once, with its place.

    Mistakes (exit 2): unknown keys, turns and names, templates, regular expressions. Warnings: rules nobody reaches, turns nobody
    goes to, events that a dialect has no words for.
    """
    from .script_command import check as check_main

    sys.exit(check_main(**options))


@cli.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print data, by simulator/schema/faults.schema.json.")
def faults(name: str | None, as_json: bool) -> None:
    """List what `serve --fault` can do to answers, by layer; with a NAME, explain it and show it with curl.

    In force by flag, script, control API or library, or asked for by a request itself: see docs/faults.md.
    """
    from .faults_command import main as faults_main

    sys.exit(faults_main(name, as_json))


@cli.command()
@click.argument("dialect", required=False)
@click.option("--bundle", is_flag=True, help="All dialects in one document, each under its mount.")
@click.option("--openapi", "version", type=click.Choice(["3.2", "3.1"]), default="3.2", show_default=True)
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
def spec(**options: Any) -> None:
    """Print a DIALECT's OpenAPI document; without one, list the dialects."""
    from .spec_command import main as spec_main

    sys.exit(spec_main(**options))


@cli.command()
@click.argument("requirement")
def explain(requirement: str) -> None:
    """Say what a REQUIREMENT asks, where it stands, how it is checked and on which ruling it rests.

    Or, for an open question such as AMB-09, its readings and the ruling.
    """
    from .explain import main as explain_main

    sys.exit(explain_main(requirement))


@cli.command()
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option(
    "--to",
    "targets",
    multiple=True,
    type=PATH,
    metavar="FILE",
    help="Write as .html, .md, .sarif, .svg (a badge), .txt, .xml (JUnit) or .json; a load run as .csv too.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser; without --to, a temporary one.")
@click.option("-v", "--verbose", is_flag=True, help="Show every requirement.")
def report(**options: Any) -> None:
    """Show result FILES (from --json) as a scorecard, or write them as HTML, JUnit, Markdown, SARIF, badge or text.

    Several FILES become one report; a load run is one by itself, and has no badge and no SARIF. Exits 2 for a file that was cut off or edited, and 0 otherwise, whatever the verdict.
    """
    from .report import main as report_main

    sys.exit(report_main(**options))


@cli.command()
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option("--to", "targets", multiple=True, type=PATH, metavar="FILE", help="Write as .html, .md or .txt too.")
@click.option("--strict", is_flag=True, help="Exit 1 for a newly failed SHOULD too.")
@click.option("--anyway", is_flag=True, help="Compare load runs that are not valid, or not of the same load.")
def compare(**options: Any) -> None:
    """Say what changed between result FILES (from --json), oldest first: newly broken, still failing, fixed, new, gone.

    Of load runs, what is better and worse: quantiles, share of good answers and rate, each with the interval of its difference,
    where that leaves out chance. They have to be valid, and of the same dialect and load (--anyway compares them all the same).

    With three or more, the trend as well; the exit code is about the last two. Exit codes: 0 nothing newly broken or worse, 1 newly
    broken or worse, 2 a bad file, 3 not comparable (a run is incomplete or not valid, or they are of different things).
    """
    from .compare import main as compare_main

    sys.exit(compare_main(**options))


def main() -> None:
    """The console script. Ctrl-C is never a verdict (exit 3), a reader that went away no error, a mistake one message."""
    try:
        code = cli.main(prog_name="chatproof", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("chatproof: interrupted", err=True)
        code = 3
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        from .output import hush

        hush()
        click.echo(f"chatproof: cannot be written: {error.strerror}", err=True)
        code = 2
    sys.exit(code)
