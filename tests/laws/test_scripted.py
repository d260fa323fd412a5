"""Law 4 for scripts: agents out of a file keep every dialect as well as the built-in ones, and a clumsy script breaks only what it says."""

from __future__ import annotations

import pytest

from chatproof.simulator.script.model import Script
from chatproof.simulator.script.reading import check_text
from chatproof.spec import Dialect

from .memory import all_dialects, broken, verify

RECALL = """
    turns:
      start:
        - when: {regex: 'code: *(?P<code>\\S+)'}
          capture: [code]
          say: "You said: {{ request.message }}"
        - when: {contains: what code}
          say: "The code is {{ vars.code | default('not known') }}"
        - when: {if: request.metadata}
          say: "You said: {{ request.message }} You told me: {{ request.metadata }}."
        - else: {say: "You said: {{ request.message }}"}
"""
TOOLS = """
    turns:
      start:
        - else:
            reply:
              - "Let me look. "
              - {call: look, args: {q: "{{ request.message }}"}, takes: 300ms, result: {found: true}}
              - {call: count, args: {}, result: 3}
              - {say: All is well.}
"""
FAILING = """
    turns:
      start:
        - else: {reply: ["I", " begin", {fail: The agent failed}]}
"""
UNAVAILABLE = """
    turns:
      start:
        - else: {refuse: unavailable}
"""
AGENTS = {"default": RECALL, "other": RECALL, "tools": TOOLS, "failing": FAILING, "unavailable": UNAVAILABLE}


def script(**agents: str) -> Script:
    rows = "".join(f"  {name}:{text}" for name, text in {**AGENTS, **agents}.items())
    found = check_text(f"script: 1\nagents:\n{rows}", "s.yaml")
    assert found.script is not None, "\n".join(found.lines())
    return found.script


@pytest.mark.slow
@pytest.mark.parametrize("of", all_dialects(), ids=lambda of: of.name)
def test_scripted_agents_are_never_blamed(of: Dialect) -> None:
    plain, scripted = verify(of), verify(of, script=script())
    assert broken(scripted) == broken(plain) == {}
    assert {row.requirement.id: row.outcome for row in scripted.judged} == {
        row.requirement.id: row.outcome for row in plain.judged
    }


@pytest.mark.slow
@pytest.mark.parametrize("of", all_dialects()[:1], ids=lambda of: of.name)
def test_an_agent_that_forgets_is_blamed(of: Dialect) -> None:
    """The scripted agent is the one that is judged: without its memory the verdict is another."""
    forgetful = RECALL.replace("vars.code | default('not known')", "'gone'")
    outcomes = {row.requirement.id: row.outcome for row in verify(of, script=script(default=forgetful)).judged}
    assert outcomes["session/remembers"] == "fail"
