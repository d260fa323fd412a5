"""The fixture ``chat_simulator`` in another project, and every example of docs/library.md, run there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = "pytester"
pytestmark = pytest.mark.slow

PLUGIN = "chatproof.fixtures"
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```$", (Path(__file__).parents[2] / "docs" / "library.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
)  # fmt: skip
HEAVY = {"chatproof.spec", "chatproof.simulator", "aiohttp", "yaml", "asyncio", "jsonschema"}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester: pytest.Pytester, *words: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", PLUGIN, "-W", "error", "--strict-markers", *words)


def test_every_example_of_the_document_runs(pytester: pytest.Pytester) -> None:
    """As tests where they are tests, with the conftest that the document shows; else as they stand."""
    (options,) = [code for code in EXAMPLES if "def chat_simulator_options" in code]
    pytester.makeconftest(options)
    ran = 0
    for number, code in enumerate(code for code in EXAMPLES if code is not options):
        tests = code.count("\ndef test_") + code.startswith("def test_")
        if not tests:
            code = "def test_it():\n" + "".join(f"    {line}\n" for line in code.splitlines())
        pytester.makepyfile(**{f"test_{number}": code})
        ran += max(1, tests)
    run(pytester).assert_outcomes(passed=ran)
    assert ran >= 6


ASK = """
import json, urllib.request

def ask(sim, agent="echo"):
    body = json.dumps({"agent_id": agent, "message": "Hi", "stream": False}).encode()
    headers = {"Authorization": f"Bearer {sim.key()}", "Content-Type": "application/json"}
    return urllib.request.urlopen(urllib.request.Request(f"{sim.url('guide')}/chat", body, headers)).read()
"""


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "workers"])
def test_each_test_has_a_scope_of_its_own(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    test = """
@pytest.mark.parametrize("number", range(12))
def test_mine(chat_simulator, number):
    chat_simulator.journal.assert_count(0)
    chat_simulator.agent("me", f"I am {number}")
    chat_simulator.fault("wrong-limit", times=1)
    assert f"I am {number}".encode() in ask(chat_simulator, "me")
    chat_simulator.journal.assert_count(1, fault="wrong-limit")
"""
    pytester.makepyfile(f"import pytest\n{ASK}{test}")
    run(pytester, *workers).assert_outcomes(passed=12)


def test_a_test_that_fails_shows_what_was_asked_and_no_key(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(f"{ASK}\ndef test_bad(chat_simulator):\n    ask(chat_simulator)\n    assert False\n")
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*chat simulator*", "#1 POST /@t1/guide/chat 200 json echo session=session_*"])
    assert "key-valid" not in str(result.stdout)


SCRIPT = """
script: 1
agents: {shop: {turns: {start: [{when: {contains: order}, say: hi}, {when: {exact: hello}, say: ho}]}}}
"""


def test_a_failure_tells_what_was_refused_what_no_rule_fits_and_which_faults_hit(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", s=SCRIPT)
    pytester.makeconftest(
        "import pytest\n@pytest.fixture(scope='session')\ndef chat_simulator_options(): return {'script': 's.yaml'}\n"
    )
    test = """
import pytest, urllib.error

@pytest.fixture
def login(chat_simulator):
    chat_simulator.fault("text-lost", agent="me")
    chat_simulator.fault("wrong-limit", agent="nobody")
    chat_simulator.agent("me", "Hi there")
    ask(chat_simulator, "me")
    try:
        ask(chat_simulator, "nobody")
    except urllib.error.HTTPError as error:
        error.close()

@pytest.fixture
def broken(login, chat_simulator):
    try:
        ask(chat_simulator, "shop")
    except urllib.error.HTTPError as error:
        error.close()
        raise RuntimeError("no luck") from None

def test_in_a_fixture(broken): pass
def test_in_a_test(login): assert False
def test_good(login): pass
"""
    pytester.makepyfile(f"{ASK}{test}")
    result = run(pytester, "-p", "no:randomly")
    result.assert_outcomes(errors=1, failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at setup of test_in_a_fixture*",
            "*chat simulator: requests*",
            "#1 POST * 200 json me session=*",
            "#2 POST * 404 agent_not_found agent=nobody faults=wrong-limit *",
            '    asked: {"agent_id": "nobody", "message": "Hi", "stream": false}',
            "#3 POST * 500 internal_error *agent=shop*",
            "*chat simulator: unmatched requests*",
            "#3 shop",
            "    rule 2 (s.yaml:2:*): exact: the message is 'Hi', not 'hello'",
            "    rule 1 (s.yaml:2:*): contains: 'order' is not in 'Hi'",
            "*chat simulator: faults*",
            "text-lost: aimed at 1, changed 0; what it would have changed was not there",
            "wrong-limit: aimed at 1, changed 1",
            "*test_in_a_test*",
            "#4 POST *",
        ]
    )
    assert str(result.stdout).count("chat simulator: requests") == 2


def test_bad_options_are_told(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "import pytest\n@pytest.fixture(scope='session')\ndef chat_simulator_options(): return {'dialects': ['gide']}\n"
    )
    pytester.makepyfile("def test_it(chat_simulator): pass")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*did you mean 'guide'*"])


def test_a_test_that_does_not_ask_pays_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(f"import sys\ndef test_light(): assert not {HEAVY - {'asyncio'}} & set(sys.modules)")
    run(pytester).assert_outcomes(passed=1)
