"""The judge as a pytest plugin in somebody else's project: ``pytest --chatproof-url URL --chatproof-dialect NAME``.

Every chosen requirement is an item, as ``chatproof::<dialect>::sse/blank-line``, and ``…::verdict`` is the last. Items are
made here and not collected from files, so no fixture or path of the project touches them. The target is verified once,
when the first item is about to run, and only as far as the items that are left after ``-k`` and the like need it.

| outcome | item |
|---|---|
| pass, observed | passes |
| warn | passes with a ``ShouldWarning``; fails with ``--chatproof-strict``, or where the project makes warnings errors |
| fail | fails |
| error | an error, since the fault is ours |
| all others | skipped with the reason; where ``verdict`` was deselected and the run is incomplete, fails |

Without one of the options nothing of the judge is imported.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from .allure import account, expectation, masked, objection, printable, row_properties, run_properties, show, without

if TYPE_CHECKING:
    from ..spec import Dialect, Requirement
    from .profile import Profile
    from .run import Run

PREFIX = "--chatproof-"
KEY_OPTION = "--chatproof-api-key"
KEY_VARIABLE = "CHATPROOF_API_KEY"
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "url": {"metavar": "URL", "help": "Verify the server there: one item per requirement of its dialect."},
    "dialect": {"metavar": "NAME|DIR", "help": "Which API; needed unless the profile says it."},
    "profile": {"metavar": "FILE", "help": "YAML with keys and agents by role; options override it."},
    "api-key": {"metavar": "KEY", "help": f"A valid key; better given in the environment, as {KEY_VARIABLE}."},
    "agent": {"metavar": "ID", "help": "The agent to talk to."},
    "level": {"choices": ("must", "should", "may"), "default": "may", "help": "The least level; may, that is all."},
    "select": {"metavar": "GLOB", "action": "append", "default": [], "help": "Only requirements with such ids."},
    "strict": {"action": "store_true", "default": False, "help": "A failed SHOULD fails too."},
    "only": {"action": "store_true", "default": False, "help": "Leave out the project's own tests and conftest files."},
}
ROOT = "chatproof"
VERDICT = "verdict"


class ShouldWarning(pytest.PytestWarning):
    """The target breaks a SHOULD."""


@dataclass(frozen=True)
class Wanted:
    """What to verify."""

    profile: Profile = field(repr=False)
    dialect: Dialect = field(repr=False)
    rows: tuple[Requirement, ...] = field(repr=False)
    strict: bool


WANTED = pytest.StashKey[Wanted]()
ROOM = pytest.StashKey[Path]()
RESULT = pytest.StashKey[dict[str, Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, and nothing else."""
    group = parser.getgroup("chatproof", "chatproof: does a chat server keep its documents?")
    for name, settings in OPTIONS.items():
        group.addoption(f"{PREFIX}{name}", **settings)


def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Before any conftest of the project: hide the key from whoever prints the arguments, and keep conftest files out."""
    given = early_config.invocation_params
    early_config.invocation_params = replace(given, args=without(KEY_OPTION, given.args))
    if early_config.known_args_namespace.chatproof_only:
        early_config.known_args_namespace.noconftest = True


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """``UsageError`` for whatever is missing or wrong, before anything is collected."""
    config.addinivalue_line("markers", "chatproof: a requirement of the documents, verified by chatproof")
    handed = getattr(config, "workerinput", {}).get(ROOT, {})
    key = handed.get("key") or config.option.chatproof_api_key or os.environ.get(KEY_VARIABLE)
    given = any(config.getoption(PREFIX + name) != settings.get("default") for name, settings in OPTIONS.items())
    config.option.chatproof_api_key = None
    if not given:
        return
    if config.option.chatproof_only:
        config.args[:] = []
    config.stash[WANTED] = _wanted(config, key)
    config.stash[ROOM] = Path(handed.get("room") or tempfile.mkdtemp(prefix="chatproof-"))
    if not handed:
        config.add_cleanup(lambda: shutil.rmtree(config.stash[ROOM], ignore_errors=True))


def pytest_report_header(config: pytest.Config) -> str | None:
    """What is verified, in the head of the report."""
    wanted = config.stash.get(WANTED, None)
    return f"chatproof: {wanted.dialect.name} at {wanted.profile.base_url}" if wanted else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist starts a worker: it gets the key, and the room in which whoever verifies first leaves the result."""
    stash = node.config.stash
    if WANTED in stash:
        node.workerinput[ROOT] = {"key": stash[WANTED].profile.credentials["valid"], "room": str(stash[ROOM])}


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The session's own collectors and ours."""
    report = yield
    if isinstance(collector, pytest.Session) and WANTED in collector.config.stash and report.passed:
        path = collector.config.rootpath / ROOT
        report.result = [*report.result, Suite.from_parent(collector, name=ROOT, path=path, nodeid=ROOT)]
    return report


class Suite(pytest.Collector):
    """``chatproof``, and in it the dialect, and in that the items."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """One item per requirement in the order of the dialect's table, then the verdict."""
        wanted = self.config.stash[WANTED]
        if self.name == ROOT:
            yield Suite.from_parent(self, name=wanted.dialect.name)
            return
        for name in (*(row.id for row in wanted.rows), VERDICT):
            yield (VerdictItem if name == VERDICT else RequirementItem).from_parent(self, name=name)


class Item(pytest.Item):
    """What the two kinds of item share: the mark by which ``-m`` and pytest-xdist's ``--dist loadgroup`` know them."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.wanted = self.config.stash[WANTED]
        self.add_marker(ROOT)
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(ROOT))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


class RequirementItem(Item):
    """One requirement. What became of it is looked up in the run's result, under its name."""

    def setup(self) -> None:
        """Verify, if nobody has; an outcome ``error`` is an error here and not a failure of the target's."""
        row = self.row = next(row for row in result(self.session)["requirements"] if row["id"] == self.name)
        self.user_properties += row_properties(row)
        if row["outcome"] == "error":
            self._show()
            _fail(account(row))

    def runtest(self) -> None:
        row, outcome = self.row, self.row["outcome"]
        self._show()
        if outcome == "fail" or (outcome == "warn" and self.wanted.strict):
            _fail(account(row))
        if outcome == "warn":
            self.warn(ShouldWarning(printable(f"{row['level']} {row['id']}: {expectation(row['findings'][0])}")))
        elif outcome != "pass":
            self._leave_open()

    def _leave_open(self) -> None:
        """A skip with its reason, unless the run is incomplete and no verdict's item is there to fail for it."""
        reason = printable(f"{self.row['outcome'].replace('_', ' ')}: {self.row['reason']}")
        guarded = any(isinstance(item, VerdictItem) for item in self.session.items)
        if result(self.session)["verdict"] == "incomplete" and not guarded:
            _fail(f"the run is incomplete: {reason}")
        if self.row["outcome"] != "observed":
            pytest.skip(reason)

    def _show(self) -> None:
        if self.config.pluginmanager.hasplugin("allure_listener"):
            target = self.wanted.profile.base_url
            show(self.row, self.wanted.dialect.name, target, self.config.stash[ROOM] / "result.jsonl")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A warning that the project turned into an error reads like a failure: no traceback of ours."""
        warned = isinstance(excinfo.value, ShouldWarning)
        return str(excinfo.value) if warned else super().repr_failure(excinfo, style)


class VerdictItem(Item):
    """Fails unless the run is conformant: a run of skipped items would read as green."""

    def runtest(self) -> None:
        run = result(self.session)
        self.user_properties += run_properties(run)
        if text := objection(run, self.wanted.strict):
            _fail(text)


def result(session: pytest.Session) -> dict[str, Any]:
    """The run as plain data, secrets taken out. The first that asks verifies, in whichever process; the others wait for it."""
    stash = session.config.stash
    if RESULT not in stash:
        names = {item.name for item in session.items if isinstance(item, RequirementItem)}
        rows = [row for row in stash[WANTED].rows if row.id in names] or list(stash[WANTED].rows)
        file = stash[ROOM] / "result.json"
        with _alone(file.with_name("turn")):
            if not file.exists():
                _verify(stash[WANTED], rows, file)
        stash[RESULT] = json.loads(file.read_text("utf-8"))
    return stash[RESULT]


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """While no other process is: SQLite's lock is portable, and is freed when its holder dies."""
    import sqlite3

    with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as turn:
        while not turn.in_transaction:
            try:
                turn.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
        yield


def _verify(wanted: Wanted, rows: list[Requirement], file: Path) -> None:
    """Write the result, and the transcripts beside it. Whatever stops this leaves an incomplete run: nobody sends it all again."""
    from .judge import Evidence
    from .result import redact
    from .run import Facts, Options, finish, verify

    facts = Facts(0, time.time(), 0.0, 0, "chatproof crashed, or was stopped")
    stopped = finish(rows, Evidence(wanted.dialect, wanted.profile, ()), facts)
    _keep(stopped, file)
    try:
        run = verify(wanted.profile, wanted.dialect, Options(select=tuple(row.id for row in rows)))
        _keep(run, file)
    except Exception:  # noqa: BLE001  (a crash of ours is reported as one, never as the target's)
        _keep(stopped, file, redact(traceback.format_exc(), wanted.profile.secrets))
    else:
        if run.reason == "interrupted":
            raise KeyboardInterrupt


def _keep(run: Run, file: Path, crash: str = "") -> None:
    from .rejudge import record
    from .result import as_json

    record(run, file.with_suffix(".jsonl"))
    file.write_text(json.dumps({**as_json([masked(run)], ""), "crash": crash}), "utf-8")


def _fail(text: str) -> NoReturn:
    """A failure or an error that shows this text and no traceback."""
    pytest.fail(printable(text), pytrace=False)


def _wanted(config: pytest.Config, key: str | None) -> Wanted:
    """What options and profile say, checked as the command line checks it; ``UsageError``."""
    from ..spec import BadFile, requirements
    from .judge import choose
    from .profile import load_profile
    from .target import target

    options = {**{name: config.getoption(PREFIX + name) for name in OPTIONS}, "api-key": key}
    try:
        data = load_profile(options["profile"]) if options["profile"] else {}
        profile, found = target(data, options, PREFIX)
    except (BadFile, ValueError) as error:
        raise pytest.UsageError(str(error)) from None
    rows = tuple(choose(requirements(found), options["level"], options["select"]))
    if not rows:
        globs = " or ".join(options["select"])
        raise pytest.UsageError(f"{PREFIX}select: no requirement matches {globs}; see `chatproof explain '*'`")
    return Wanted(profile, found, rows, options["strict"])
