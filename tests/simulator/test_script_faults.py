"""Faults in a script: at its top they are in force, in a rule they bend what it answers; mistakes have their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .scripted import checked, script, told

SHOP = """\
script: 1
faults:
  - "no-terminal;contains=boom"
  - {fault: capital-data, agent: shop, times: 1}
agents:
  shop:
    turns:
      start:
        - when: {contains: limit}
          say: never heard
          faults: ["http-429;in=body;wait=3"]
        - when: {contains: cut}
          say: one two three four
          faults: [{fault: closed-mid-stream, parameters: {after: 2}, times: 1}]
        - else: {say: Hello, faults: ["text-after-terminal;probability=0"]}
"""
MISTAKES = """\
script: 1
faults:
  - no-termnal
  - {fault: http-429, parameters: {fom: seconds}, times: 1}
  - {fault: http-429, parameters: {form: secs}}
  - {fault: stall, begins: noon, agnet: x}
  - {parameters: {}}
agents:
  shop:
    turns:
      start:
        - when: {first_turn: true}
          say: x
          faults:
            - never-429
            - fault: session-forgotten
            - session-expired
"""
PLACES = """\
script: 1
faults:
  - crlf;dialect=gide
  - {fault: crlf, operation: sent}
agents:
  shop:
    turns:
      start:
        - else:
            say: x
            faults:
              - session-expired;as=404
              - {fault: crlf, dialect: slogs}
"""


def test_at_the_top_they_are_in_force_and_come_back_with_a_reset(desk_of: Callable[..., Any]) -> None:
    desk = desk_of(script=script(SHOP))
    assert [(one.by, one.fault.name) for one in desk.backend.armoury] == [
        ("script", "no-terminal"), ("script", "capital-data"),
    ]  # fmt: skip
    assert desk.chat("guide", "boom", agent="echo").plan.about.faults == ("no-terminal",)
    assert [desk.chat("guide", agent="shop").plan.about.faults for _ in range(2)] == [("capital-data",), ()]
    desk.backend.armoury.reset(())
    assert desk.chat("guide", agent="shop").plan.about.faults == ("capital-data",)


def test_another_script_brings_its_own(desk_of: Callable[..., Any]) -> None:
    desk = desk_of(script=script(SHOP), fault="text-lost")
    desk.backend.perform(script(SHOP.replace("no-terminal", "two-terminals")))
    assert sorted(one.fault.name for one in desk.backend.armoury) == ["capital-data", "text-lost", "two-terminals"]


def test_in_a_rule_they_bend_what_it_answers(desk_of: Callable[..., Any]) -> None:
    desk = desk_of(script=script(SHOP))
    desk.backend.armoury.clear()
    said = desk.chat("guide", "limit", agent="shop", stream=False)
    assert (said.status, said.json["retry_after"]) == (429, 3)
    cut, whole = (desk.chat("guide", "cut", agent="shop") for _ in range(2))
    assert (cut.plan.end, cut.raw.count(b"data:")) == ("close", 2)
    assert whole.raw.endswith(b"0\r\n\r\n")
    assert desk.chat("guide", "x", agent="shop").plan.about.faults == ()
    assert [(one.by, one.fault.name, one.fired) for one in desk.backend.armoury.triggered.values()] == [
        ("rule", "http-429", 1), ("rule", "closed-mid-stream", 1), ("rule", "text-after-terminal", 0),
    ]  # fmt: skip


def test_a_rule_wins_over_what_is_in_force(desk_of: Callable[..., Any]) -> None:
    desk = desk_of(script=script(SHOP), fault=["held-back", "no-terminal"])
    said = desk.chat("guide", "cut", agent="shop")
    assert said.plan.about.faults == ("no-terminal", "capital-data", "closed-mid-stream")
    assert "held-back gives way to closed-mid-stream, of the rule" in said.plan.about.warnings


def test_every_mistake_has_its_place() -> None:
    assert told(checked(MISTAKES)) == [
        "3:5 no fault 'no-termnal' (did you mean 'no-terminal'?)",
        "4:36 'http-429' takes no parameter 'fom' (did you mean 'form'?)",
        "5:42 form: expected one of seconds, http-date, got 'secs' (did you mean 'seconds'?)",
        "6:28 begins: expected seconds from 0, or a time of day as 17:30, got 'noon'",
        "6:34 unknown key 'agnet' (did you mean 'agent'?)",
        "7:5 faults.4: missing key 'fault'",
        "15:15 'never-429' bends what comes before a rule answers; put it at the top of the script, with `agent`",
        "16:22 'session-forgotten' bends what comes before a rule answers; put it at the top of the script, with `agent`",
        "17:15 'session-expired' bends what comes before a rule answers; put it at the top of the script, with `agent`",
    ]


def test_a_place_that_there_is_not_is_a_mistake() -> None:
    assert told(checked(PLACES)) == [
        "3:5 dialect: there is no 'gide' (did you mean 'guide'?)",
        "4:30 operation: there is no 'sent' (did you mean 'send'?)",
        "13:40 dialect: there is no 'slogs' (did you mean 'slug'?)",
    ]
