"""The options of ``chatproof serve``: a table of its own, since they are many."""

from __future__ import annotations

from pathlib import Path

import click

PATH = click.Path(path_type=Path)
OPTIONS = (
    click.option(
        "--dialect", "dialects", multiple=True, metavar="NAME|DIR", help="Serve only these; one is served at the root."
    ),
    click.option("--host", default="127.0.0.1", show_default=True),
    click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 for any free port."),
    click.option(
        "--seed",
        type=int,
        default=0,
        show_default=True,
        help="Of ids, times, pieces and chance: same seed, same requests, same bytes.",
    ),
    click.option("--clock", default="real", show_default=True, metavar="real|frozen|xN", help="xN: N times as fast."),
    click.option(
        "--latency",
        metavar="WORDS",
        help="How long agents take, as 'first=300ms gap=uniform(10ms, 30ms) rate=40words/s'; see docs/scripts.md.",
    ),
    click.option("--variant", metavar="NAME", help="Answer in another legal way, as crlf or heartbeats."),
    click.option(
        "--fault",
        "faults",
        multiple=True,
        metavar="NAME[;WORD=VALUE]...",
        help="Bend one thing on purpose, as 'http-503;times=2'; repeatable, one a layer. See `chatproof faults`.",
    ),
    click.option("--no-magic", is_flag=True, help="No request may ask for a fault itself: see docs/faults.md."),
    click.option(
        "--script",
        type=PATH,
        metavar="FILE",
        help="Agents, keys and plans of your own; see `check` and `init --script`.",
    ),
    click.option(
        "--ruling",
        multiple=True,
        metavar="AMB-NN=READING",
        help="Follow that reading of an open question; repeatable, see docs/limits.md.",
    ),
    click.option(
        "--no-limits",
        "limits",
        flag_value=False,
        default=True,
        help="Hold nobody to a plan or a balance, for load tests.",
    ),
    click.option(
        "--max-connections",
        type=click.IntRange(min=1),
        metavar="N",
        help="Beyond them one that is idle gives way to a new one, else 503.  [default: what the system allows]",
    ),
    click.option("--watch", is_flag=True, help="Read the script again when it changes; a bad one changes nothing."),
    click.option(
        "--journal",
        type=click.IntRange(min=0),
        default=1000,
        show_default=True,
        metavar="N",
        help="Requests kept in memory, with every byte of their answers.",
    ),
    click.option("--journal-file", type=PATH, metavar="FILE", help="Append each request there, as a line of JSON."),
    click.option(
        "--decisions",
        type=PATH,
        metavar="FILE",
        help="Write there, anew, all that chance and time decide; see `--replay`.",
    ),
    click.option(
        "--replay",
        type=PATH,
        metavar="FILE",
        help="Answer the same requests as a file of `--decisions` has it, byte by byte.",
    ),
    click.option(
        "--control", metavar="[HOST:]PORT", help="Look at it and change it while it runs; see docs/control.md."
    ),
    click.option(
        "--control-token",
        envvar="CHATPROOF_CONTROL_TOKEN",
        metavar="TEXT",
        help="What each control request must bear [env: CHATPROOF_CONTROL_TOKEN].",
    ),
    click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True),
    click.option("-q", "--quiet", is_flag=True, help="No line per request."),
    click.option(
        "--record", metavar="URL", help="Pass all requests on to that server, and write what it says as a script."
    ),
    click.option("--out", type=PATH, metavar="FILE", help="Where --record writes the script, after each exchange."),
)
