"""The options of ``chatproof load``: a table of its own, since they are many."""

from __future__ import annotations

import re
from pathlib import Path

import click

PATH = click.Path(path_type=Path)
OBJECTIVE = re.compile(r"(?![-./]|.*://).*[<>=].*")
"""What can be meant as an objective, and as no flag, URL or folder."""


class Objectives(click.Command):
    """``--objective`` may be followed by several: each of them is one, as if the flag stood before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        told: list[str] = []
        for arg in args:
            among = len(told) > 1 and told[-2] == "--objective"
            told += ["--objective", arg] if among and OBJECTIVE.fullmatch(arg) else [arg]
        return super().parse_args(ctx, told)


OPTIONS = (
    click.option(
        "--rate",
        type=click.FloatRange(min=0, min_open=True),
        metavar="R",
        help="Open: R turns a second, come what may.",
    ),
    click.option(
        "--users", type=click.IntRange(min=1), metavar="N", help="Closed: N conversations at a time [default: 10]."
    ),
    click.option(
        "--schedule",
        metavar="TEXT",
        help="Open: poisson:50, ramp:1-50, step:10,20,40, spike:10,200, soak:20, replay:FILE; A/30s+B.",
    ),
    click.option(
        "--for", "duration", metavar="TIME", help="How long, as 90s or 5m.  [default: 30s, or the schedule's]"
    ),
    click.option(
        "--think", default="1s", show_default=True, metavar="TIME", help="Closed: mean pause between two turns."
    ),
    click.option(
        "--conversation-turns",
        type=click.IntRange(1, 100),
        metavar="N",
        help="Turns of a conversation [default: 3 or 1].",
    ),
    click.option("--json-replies", is_flag=True, help="Ask for JSON replies, not for streams."),
    click.option(
        "--pacing",
        type=click.Choice(["ignore", "respect", "probe"]),
        default="ignore",
        show_default=True,
        help="Heed the target's limits, or find them.",
    ),
    click.option(
        "--objective",
        multiple=True,
        metavar="EXPR",
        help="One or several, as 'ttft p95 < 800ms' 'ok > 99%' 'mixups = 0 abort'.",
    ),
    click.option(
        "--warmup", default="0s", show_default=True, metavar="TIME", help="Turns due in it are sent and not measured."
    ),
    click.option(
        "--max-in-flight",
        type=click.IntRange(min=1),
        default=1000,
        show_default=True,
        help="More that are due are missed.",
    ),
    click.option(
        "--max-requests", type=click.IntRange(min=1), default=1_000_000, show_default=True, help="The run ends there."
    ),
    click.option(
        "--prompts", type=PATH, metavar="FILE", help="Conversations to hold: JSON Lines, or a recorded transcript."
    ),
    click.option(
        "--words", type=click.IntRange(1, 5000), default=12, show_default=True, help="Of a made-up message, about."
    ),
    click.option("--no-canary", is_flag=True, help="Send no words that prove whose answer came back."),
    click.option(
        "--sample",
        type=click.IntRange(min=0),
        default=50,
        show_default=True,
        help="Judge every N-th exchange whole; 0: none.",
    ),
    click.option(
        "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Locust workers on this machine."
    ),
    click.option("--seed", type=click.IntRange(min=0), help="Of due times, messages and pauses."),
    click.option(
        "--find-capacity",
        metavar="EXPR",
        help="Raise --rate (or --users) until EXPR is missed; --for is the time of a step.",
    ),
    click.option(
        "--most", type=click.FloatRange(min=0, min_open=True), metavar="N", help="No step of it is above that."
    ),
    click.option("--dry-run", is_flag=True, help="Draw the rate and say what would be sent; send nothing."),
    click.option(
        "--i-own-this-target", is_flag=True, help="Allow more than 10/s or 10 users at a host that is not this machine."
    ),
    click.option("--json", "json_file", type=PATH, metavar="FILE", help="Write the result; - for standard output."),
    click.option("--html", "html_file", type=PATH, metavar="FILE", help="Write a page for people, with charts."),
    click.option("--csv", "csv_file", type=PATH, metavar="FILE", help="Write the time series."),
    click.option(
        "--junit", "junit_file", type=PATH, metavar="FILE", help="Write JUnit XML: a case for each objective."
    ),
    click.option("--markdown", "markdown_file", type=PATH, metavar="FILE", help="Write a summary for a pull request."),
    click.option(
        "--turns", "turn_file", type=PATH, metavar="FILE", help="Write every turn that is over, a line of JSON each."
    ),
)
