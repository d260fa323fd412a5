"""Three tabs on Locust's page (Streaming, Limits, Correctness), and the run as JSON, CSV and a page of its own to take away.

Locust's page draws tables that its server describes, with rows that come along in the answer it asks for every two seconds; so a run
that nobody looks at pays nothing. The CSV and the page are made in a process of their own: this one has to keep time.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from locust.runners import STATE_CLEANUP, STATE_RUNNING, STATE_SPAWNING, STATE_STOPPING
from locust.util.timespan import parse_timespan

from .led import Led
from .locust_options import PREFIX, too_much
from .tables import COLUMNS, Row

FRESH_S = 1.0
"""So long the figures are good for all who look at them."""
FACE_S = 60.0
DOWNLOADS = {
    "run.json": "chatproof: the result as JSON",
    "run.csv": "chatproof: the time series as CSV",
    "run.html": "chatproof: the page of the run",
}
"""File -> its link under "Download Data"."""
KINDS = {".json": "application/json", ".csv": "text/csv", ".html": "text/html"}
STATS, SWARM = "locust.request_stats", "locust.swarm"
"""The routes of Locust that something is added to."""
ENDING = (STATE_CLEANUP, STATE_STOPPING)
PLAIN = "text/plain"

Rows = Callable[[], dict[str, list[Row]]]


def show(environment: Any, led: Led) -> None:
    """Put the tabs on the page of this environment."""
    web = environment.web_ui
    web.template_args.update(
        extended_tabs=[{"title": name.capitalize(), "key": _key(name)} for name in COLUMNS],
        extended_tables=[
            {"key": _key(name), "structure": [{"key": key, "title": title} for key, title in columns.items()]}
            for name, columns in COLUMNS.items()
        ],
        extended_csv_files=[{"href": f"./chatproof/{file}", "title": title} for file, title in DOWNLOADS.items()],
    )
    rows = _kept(led)
    _add_rows(web.app, rows)
    _check_form(web, environment, led)
    web.app.register_blueprint(_routes(web, environment, led, rows))


def _key(table: str) -> str:
    return f"chatproof-{table}"


def _kept(led: Led) -> Rows:
    """The rows: made anew once a second at most, and at once when a run begins or is over."""
    made: tuple[Any, float, dict[str, list[Row]]] = (None, 0.0, {})

    def rows() -> dict[str, list[Row]]:
        nonlocal made
        at, now = (led.plan, led.over), time.monotonic()
        if made[0] != at or now - made[1] > FRESH_S:
            made = (at, now, led.tables())
        return made[2]

    return rows


def _add_rows(app: Flask, rows: Rows) -> None:
    """Our rows in the answer that Locust's page asks for again and again.

    Locust's page asks no more once it hears that a run is stopping, and would never hear that it has stopped: it is told so when it has.
    """

    @app.after_request
    def with_rows(response: Response) -> Response:
        if request.endpoint != STATS or response.status_code != 200 or not response.is_json:
            return response
        told = response.get_json()
        more = [{"key": _key(name), "data": each} for name, each in rows().items()]
        return jsonify(
            {**told, "state": STATE_RUNNING if told["state"] in ENDING else told["state"], "extended_stats": more}
        )


def _check_form(web: Any, environment: Any, led: Led) -> None:
    """What the form asks for is refused in the form, where it can be mended, and not by a run that ends at once.

    Of a run under way only the number of users can change; what else the form says then is for nothing.
    """

    @web.auth_required_if_enabled  # type: ignore[untyped-decorator]  # Locust has no types
    def refusal() -> Response | None:
        options, host = _asked(environment, request.form)
        running = environment.runner.state in (STATE_RUNNING, STATE_SPAWNING)
        try:
            problem = too_much(options, host) if running else led.check(options, host)
        except ValueError as mistake:
            problem = str(mistake)
        return jsonify({"success": False, "message": f"chatproof: {problem}", "host": host}) if problem else None

    @web.app.before_request  # type: ignore[untyped-decorator]  # Locust's, so untyped too
    def checked() -> Response | None:
        return refusal() if request.endpoint == SWARM else None


def _asked(environment: Any, form: Mapping[str, str]) -> tuple[Namespace, str | None]:
    """The options as they will be once Locust has read its form, and the host. What Locust itself refuses is left to it."""
    options = Namespace(**vars(environment.parsed_options))
    for key, value in form.items():
        if key.startswith(PREFIX):
            setattr(options, key, value)
    if form.get("user_count", "").isdecimal():
        options.num_users = int(form["user_count"])
    with contextlib.suppress(ValueError):
        if "run_time" in form:
            options.run_time = parse_timespan(form["run_time"]) if form["run_time"] else None
    return options, form.get("host") or environment.host


def _routes(web: Any, environment: Any, led: Led, rows: Rows) -> Blueprint:
    """Ours, below the same path as Locust's and behind the same login."""
    ours = Blueprint("chatproof", __name__, url_prefix=f"{environment.parsed_options.web_base_path or ''}/chatproof")

    @ours.route("/tables.json")
    @web.auth_required_if_enabled  # type: ignore[untyped-decorator]  # Locust has no types
    def figures() -> Response:
        return jsonify(rows())

    @ours.route("/<file>")
    @web.auth_required_if_enabled  # type: ignore[untyped-decorator]  # Locust has no types
    def download(file: str) -> Response:
        if file not in DOWNLOADS:
            return Response(
                f"no {file!r} here; there are {', '.join(('tables.json', *DOWNLOADS))}\n", 404, mimetype=PLAIN
            )
        try:
            return _face(led.result(), file)
        except LookupError as problem:
            return Response(f"{problem}\n", 404, mimetype=PLAIN)

    return ours


def _face(result: dict[str, Any], file: str) -> Response:
    """The result as that file."""
    kind = Path(file).suffix
    if kind == ".json":
        made = json.dumps(result, indent=1) + "\n"
    else:
        with tempfile.TemporaryDirectory(prefix="chatproof-") as folder:
            source, made_file = Path(folder) / "run.json", Path(folder) / file
            source.write_text(json.dumps(result), "utf-8")
            command = [sys.executable, "-P", "-m", "chatproof", "report", str(source), "--to", str(made_file)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FACE_S)
            if done.returncode != 0:
                return Response(done.stderr, 500, mimetype=PLAIN)
            made = made_file.read_text("utf-8")
    answer = Response(made, mimetype=KINDS[kind])
    if kind != ".html":
        answer.headers["Content-Disposition"] = f"attachment; filename=chatproof_{file}"
    return answer
