"""A script's keys, plans and agents among the built-in ones; turns at the same time; another script while sessions are under way."""

from __future__ import annotations

import pytest

from chatproof.simulator.backend import Backend
from chatproof.spec import FrozenClock, dialect, names

from .conftest import Desk
from .scripted import HEAD, script, shop

SAY = "start:\n  - else: {say: hi}"
KEYS = """\
script: 1
plans:
  Tiny: {requests_per_minute: 2}
keys:
  k-tiny: {plan: Tiny}
  k-own: {plan: Tiny, requests_per_minute: 3, concurrent: 1}
  k-poor: {balance: 3}
  k-free:
  k-shop: {agent: shop}
  k-gone: {revoked: true}
  k-printed: {plan: Free}
agents:
  shop: {ids: {slug: [a-shop, the-shop]}, turns: {start: [{else: {say: hi}}]}}
  echo: {dialects: [guide], turns: {start: [{else: {say: not an echo}}]}}
"""
SLOW = """
start:
  - when: {contains: slow}
    reply: [a, {pause: 4s}, b]
    goto: second
  - else: {say: first}
second:
  - else: {say: second}
"""


def at_desk(text: str, *dialects: str) -> Desk:
    return Desk(Backend([dialect(name) for name in dialects or names()], 7, script=script(text)), FrozenClock())


def test_keys_and_plans() -> None:
    desk = at_desk(KEYS)

    def statuses(key: str, count: int = 4, hold: bool = False, agent: str = "shop") -> list[int]:
        return [desk.chat("guide", "x y z", agent=agent, key=key, hold=hold, stream=False).status for _ in range(count)]

    assert statuses("k-tiny") == [200, 200, 429, 429]
    assert statuses("k-own") == [200, 200, 200, 429]
    desk.clock.advance(61)
    assert statuses("k-own", hold=True) == [200, 429, 429, 429]
    assert statuses("k-poor") == [200, 402, 402, 402]
    assert statuses("k-free") == [200] * 4
    assert statuses("k-shop", 1, agent="default") == [403]
    assert statuses("k-gone", 1) == [401]
    told = desk.chat("guide", agent="shop", key="k-printed").headers
    assert told["x-ratelimit-limit"] == "20"
    assert desk.chat("reference", agent="ag_shop", key="k-printed").headers["x-ratelimit-limit"] == "20", "ours"


def test_a_script_joins_the_built_in_population() -> None:
    desk = at_desk(KEYS)
    assert desk.text("guide", "x", agent="shop") == "hi"
    assert desk.text("guide", "x", agent="default", key="k-free") == "You said: x"
    assert desk.text("guide", "x", agent="echo") == "not an echo"
    assert desk.text("rest", "x", agent="echo") == "You said: x"
    assert desk.chat("guide", agent="agent_abc123").status == 200


def test_agents_are_found_under_their_ids() -> None:
    desk = at_desk(KEYS)
    found = [desk.chat("slug", agent=agent).status for agent in ("a-shop", "the-shop", "shop")]
    assert found == [200, 200, 404]
    assert [desk.chat("reference", agent=agent).status for agent in ("ag_shop", "shop", "ag_x")] == [200, 200, 404]


@pytest.mark.parametrize("name", names())
def test_a_script_can_replace_the_built_in_population(name: str) -> None:
    desk = at_desk(KEYS.replace("script: 1", "script: 1\nreplace: true"))
    asked = "a-shop" if name == "slug" else "shop"
    assert desk.chat(name, agent=asked, key="k-free").status == 200
    assert desk.chat(name, agent=asked, key="key-valid").status == 401
    assert desk.chat(name, agent="default", key="k-free").status == 404


def test_a_caller_without_a_key_in_a_replaced_population() -> None:
    whole = script(KEYS.replace("script: 1", "script: 1\nreplace: true"))
    desk = Desk(Backend([dialect("guide")], 7, script=whole, fault="accepts-any-key"), FrozenClock())
    assert desk.chat("guide", agent="shop", key=None).status == 200


def test_a_created_key_survives_a_new_script() -> None:
    desk = at_desk(KEYS)
    path = desk.backend.routes.base_path(dialect("rest")) + "/agents/shop/api-keys"
    made = desk.send(path, b'{"name": "x"}', "key-account").json["key"]
    desk.backend.perform(script(KEYS.replace("say: hi", "say: ho")))
    assert desk.text("rest", "x", agent="shop", key=made) == "ho"


def test_a_second_turn_of_a_session_waits_for_the_first() -> None:
    desk = Desk(Backend([dialect("guide")], 7, script=shop(SLOW)), FrozenClock())
    first = desk.chat("guide", "slow", agent="shop", session="s", hold=True)
    desk.clock.advance(1)
    second = desk.chat("guide", "x", agent="shop", session="s", hold=True)
    third = desk.chat("guide", "x", agent="shop", session="s", hold=True)
    other = desk.chat("guide", "x", agent="shop", session="t", hold=True)
    assert [write.due_s for write in first.plan.writes] == [0.0, 4.0]
    assert "second" in second.data[0]
    assert [said.plan.writes[0].due_s for said in (second, third, other)] == [3.0, 3.0, 0.0]
    desk.backend.finished(first.plan)
    desk.backend.finished(second.plan)
    desk.backend.finished(third.plan)
    assert desk.chat("guide", "x", agent="shop", session="s").plan.writes[0].due_s == 0.0


def test_a_second_turn_can_be_refused() -> None:
    text = "script: 1\nparallel_turns: refuse\n" + HEAD.partition("\n")[2]
    lines = "".join(f"      {line}\n" for line in SLOW.strip().split("\n"))
    desk = at_desk(text + lines, "guide")
    first = desk.chat("guide", "slow", agent="shop", session="s", hold=True)
    second = desk.chat("guide", "x", agent="shop", session="s")
    assert (second.status, second.json["retry_after"], second.headers["retry-after"]) == (429, 4, "4")
    assert second.headers["x-chatproof-note"] == "another turn of this session is under way"
    assert desk.chat("guide", "x", agent="shop", session="t").status == 200
    desk.backend.finished(first.plan)
    assert desk.text("guide", "x", agent="shop", session="s") == "second"


def test_sessions_under_way_finish_on_the_script_they_began() -> None:
    desk = Desk(Backend([dialect("guide")], 7, script=shop(SLOW)), FrozenClock())
    desk.chat("guide", "slow", agent="shop", session="s")
    desk.backend.perform(shop("start:\n  - else: {say: new}"))
    assert desk.text("guide", "x", agent="shop", session="s") == "second"
    assert desk.text("guide", "x", agent="shop", session="t") == "new"
    desk.backend.perform(
        script("script: 1\nagents: {other: {ids: {guide: shop}, turns: {start: [{else: {say: third}}]}}}")
    )
    assert desk.text("guide", "x", agent="shop", session="s") == "second"
    assert desk.text("guide", "x", agent="shop", session="t") == "new"
    assert desk.text("guide", "x", agent="shop", session="u") == "third"
    desk.backend.perform(script("script: 1\nagents: {far: {turns: {start: [{else: {say: far}}]}}}"))
    assert desk.text("guide", "x", agent="shop", session="s") == "second"
    assert desk.text("guide", "x", agent="shop", session="u") == "third"
    assert desk.chat("guide", "x", agent="shop", session="v").status == 404
    assert desk.chat("guide", "x", agent="shop", session="s", key="key-other-customer").status == 404


def test_a_key_that_stays_the_same_keeps_what_it_used() -> None:
    desk = at_desk(KEYS)
    for _ in range(2):
        assert desk.chat("guide", agent="shop", key="k-tiny").status == 200
    desk.chat("guide", "x y z", agent="shop", key="k-poor")
    desk.backend.perform(script(KEYS.replace("say: hi", "say: ho")))
    assert desk.chat("guide", agent="shop", key="k-tiny").status == 429
    assert desk.chat("guide", agent="shop", key="k-poor").status == 402
    desk.backend.perform(script(KEYS.replace("balance: 3", "balance: 9").replace("  k-free:\n", "")))
    assert desk.chat("guide", agent="shop", key="k-poor").status == 200
    assert desk.chat("guide", agent="shop", key="k-free").status == 401


def test_a_request_while_a_key_is_taken_away_gives_its_place_back() -> None:
    desk = at_desk(KEYS)
    said = desk.chat("guide", agent="shop", key="k-own", hold=True)
    desk.backend.perform(shop(SAY))
    desk.backend.finished(said.plan)
    desk.backend.finished(said.plan)
    assert desk.backend.in_flight == 0


def test_a_backend_that_forgets_sessions_forgets_scripted_ones() -> None:
    desk = Desk(Backend([dialect("guide")], 7, script=shop(SLOW), fault="session-forgotten"), FrozenClock())
    desk.chat("guide", "slow", agent="shop", session="s")
    assert desk.text("guide", "x", agent="shop", session="s") == "first"
