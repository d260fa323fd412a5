"""What the backend remembers, in every dialect: sessions, windows, places, balances, created keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from chatproof.simulator.population import DAILY, METERED_BALANCE, METERED_KEY, first_plan, profile, roles
from chatproof.simulator.realm import MOST_CREATED
from chatproof.spec import dialect, names
from chatproof.spec.files import read_text

TELL, ASK, NOTHING = "Remember this code: XK-42", "What code did I ask you to remember?", "I do not remember any code."
CREATING = [name for name in names() if dialect(name).operation("keys")]
every_dialect = pytest.mark.parametrize("name", names())


def _session(desk: Any, name: str, at: Callable[[Any, str], Any], **roles: Any) -> str:
    return str(at(desk.chat(name, stream=False, **roles).json, dialect(name).reply.roles["session"][0]))


@every_dialect
def test_a_code_is_recalled_in_its_session_only(name: str, desk: Any) -> None:
    assert desk.text(name, ASK, session="one") == NOTHING
    desk.chat(name, TELL, session="one")
    assert "XK-42" in desk.text(name, ASK, session="one")
    assert desk.text(name, ASK, session="two") == NOTHING
    assert desk.text(name, ASK) == NOTHING
    assert desk.text(name, ASK, session="one", key="key-other-customer") == NOTHING
    assert desk.text(name, ASK, session="one", agent="other") == NOTHING


@every_dialect
def test_a_new_session_can_be_continued(name: str, desk: Any, at: Callable[[Any, str], Any]) -> None:
    first, second = _session(desk, name, at, message=TELL), _session(desk, name, at)
    assert first != second
    assert "XK-42" in desk.text(name, ASK, session=first)
    assert _session(desk, name, at, session=first) == first


@every_dialect
def test_streams_and_json_share_a_session(name: str, desk: Any) -> None:
    desk.chat(name, TELL, session="s", stream=True)
    assert "XK-42" in desk.text(name, ASK, session="s")


@every_dialect
def test_a_session_expires_when_its_dialect_says_so(name: str, desk: Any) -> None:
    expiry = dialect(name).session_expiry_s
    desk.chat(name, TELL, session="s")
    desk.clock.advance(expiry or 30 * 86_400)
    assert "XK-42" in desk.text(name, ASK, session="s")
    desk.clock.advance((expiry or 0) + 1)
    assert (desk.text(name, ASK, session="s") == NOTHING) is (expiry is not None)


@every_dialect
def test_the_limited_key_has_its_plan(name: str, desk: Any) -> None:
    api, plan = dialect(name), first_plan(dialect(name))
    assert plan.requests_per_minute
    left = [
        int(desk.chat(name, key="key-limited").headers[api.limits.remaining.lower()])
        for _ in range(plan.requests_per_minute)
    ]
    assert left == list(range(plan.requests_per_minute))[::-1]
    refused = desk.chat(name, key="key-limited")
    assert refused.status == api.errors["rate_limited"].status
    assert refused.headers[api.limits.remaining.lower()] == "0"
    wait = int(refused.headers[api.limits.retry_after.lower()])
    assert wait == 60
    assert int(refused.headers[api.limits.reset.lower()]) == desk.clock.now() + wait
    desk.clock.advance(wait)
    assert desk.chat(name, key="key-limited").status == 200


@every_dialect
def test_refused_requests_do_not_count(name: str, desk: Any) -> None:
    api = dialect(name)
    for _ in range(50):
        assert desk.chat(name, 12, key="key-limited").status == api.errors["invalid_request"].status
    assert desk.chat(name, key="key-limited").status == 200


@every_dialect
def test_the_daily_key_runs_out_for_the_day(name: str, desk: Any) -> None:
    assert DAILY.requests_per_day
    for _ in range(DAILY.requests_per_day):
        assert desk.chat(name, key="key-daily").status == 200
        desk.clock.advance(60)
    assert desk.chat(name, key="key-daily").status == dialect(name).errors["rate_limited"].status
    desk.clock.advance(86_400 - 60 * DAILY.requests_per_day)
    assert desk.chat(name, key="key-daily").status == 200


@every_dialect
def test_a_place_is_held_until_the_response_is_over(name: str, desk: Any) -> None:
    api, places = dialect(name), first_plan(dialect(name)).concurrent
    held = [desk.chat(name, key="key-limited", hold=True) for _ in range(places or 5)]
    assert desk.backend.in_flight == len(held)
    one_more = desk.chat(name, key="key-limited")
    assert (one_more.status == api.errors["rate_limited"].status) is (places is not None)
    for said in held * 2:
        desk.backend.finished(said.plan)
    assert desk.backend.in_flight == 0
    assert desk.chat(name, key="key-limited").status == 200


@every_dialect
def test_a_balance_is_spent_by_reported_usage(name: str, desk: Any, at: Callable[[Any, str], Any]) -> None:
    total = dialect(name).reply.roles["total_tokens"][0]
    spent = 0
    for _ in range(METERED_BALANCE):
        said = desk.chat(name, "one two three", key=METERED_KEY, stream=False)
        if said.status != 200:
            break
        assert spent < METERED_BALANCE
        spent += at(said.json, total)
    assert said.status == dialect(name).errors["insufficient_balance"].status
    assert spent >= METERED_BALANCE


@pytest.mark.parametrize("name", CREATING)
def test_a_created_key_opens_its_agent_only(name: str, desk: Any) -> None:
    api = dialect(name)
    operation = api.operation("keys")
    assert operation is not None
    assert api.key_reply is not None

    def create(agent: str, key: str) -> Any:
        body = json.dumps({api.request.keys["name"][0][1:]: "mine"}).encode()
        return desk.send(api.mount + operation.path.replace("{agent}", agent), body, key)

    first, second = create("echo", "key-account").json, create("echo", "key-account").json
    assert first["key"] != second["key"]
    assert second["id"] == first["id"] + 1
    assert first["agent_id"] == "echo"
    assert desk.chat(name, agent="echo", key=first["key"]).status == 200
    wrong = api.errors["wrong_agent"].status
    assert desk.chat(name, agent="default", key=first["key"]).status == wrong
    assert create("echo", first["key"]).status == wrong
    assert create("agent-missing", "key-account").status == api.errors["agent_not_found"].status


@every_dialect
def test_metadata_reaches_the_agent(name: str, desk: Any) -> None:
    seen = "enterprise" in desk.text(name, "Hi", metadata={"plan": "enterprise"})
    assert seen is ("metadata" in dialect(name).request.chat)


@every_dialect
def test_json_and_stream_say_the_same(name: str, desk: Any) -> None:
    api = dialect(name)
    row = next(row for row in api.stream if row.event == "delta")
    for agent in ("default", "echo", "memory", "long", "unicode", "tools"):
        operation = "stream" if api.operation("stream") else "switched"
        data = desk.chat(name, "Grüße: naïve 🌍", agent=agent, stream=True, mode=operation).data
        events = [json.loads(line) for line in data if line.startswith("{")]
        pointer = row.shape.roles["text"][0][1:]
        deltas = [
            e[pointer]
            for e in events
            if all(e.get(k[1:]) == v for k, v in row.shape.constants.items()) and pointer in e
        ]
        assert "".join(deltas) == desk.text(name, "Grüße: naïve 🌍", agent=agent)


@every_dialect
def test_the_same_seed_and_requests_give_the_same_bytes(name: str, desk_of: Callable[..., Any]) -> None:
    def run(seed: int) -> list[bytes]:
        desk = desk_of(seed=seed)
        return [desk.chat(name, f"message {n}", stream=n % 2 == 0).raw for n in range(6)]

    assert run(3) == run(3)
    assert run(3) != run(4)


@every_dialect
def test_roles_name_what_exists(name: str, desk: Any) -> None:
    named = roles(dialect(name))
    for role, agent in named["agents"].items():
        refused = {"unknown": "agent_not_found", "unavailable": "unavailable", "failing": "internal_error"}.get(role)
        wanted = dialect(name).errors[refused].status if refused else 200
        assert desk.chat(name, agent=agent, stream=False).status == wanted, role
    for role, key in named["credentials"].items():
        refused = {"revoked": "unauthorized", "broke": "insufficient_balance", "other_agent": "wrong_agent"}.get(role)
        wanted = dialect(name).errors[refused].status if refused else 200
        assert desk.chat(name, agent=named["agents"]["default"], key=key).status == wanted, role


@every_dialect
def test_the_population_makes_a_valid_profile(name: str) -> None:
    whole = {"base_url": "http://127.0.0.1:1", "dialect": name, **profile(dialect(name))}
    assert read_text(json.dumps(whole), "profile", "profile") == whole


@every_dialect
def test_paced_events_are_apart(name: str, desk: Any) -> None:
    operation = "stream" if dialect(name).operation("stream") else "switched"
    writes = desk.chat(name, agent="paced", stream=True, mode=operation).plan.writes
    assert len(writes) > 8
    assert all(later.due_s - earlier.due_s >= 0.1 for earlier, later in pairwise(writes[:-1]))


def test_keys_that_were_made_are_bounded_and_the_oldest_goes_with_all_that_was_kept_of_it(desk: Any) -> None:
    realm = desk.backend.realms["rest"]
    account = realm.keys["key-account"]
    (_, oldest), (_, next_one) = (realm.create_key(account, "echo", "soak") for _ in range(2))
    assert desk.chat("rest", agent="echo", key=oldest).status == 200
    for _ in range(MOST_CREATED - 1):
        _, newest = realm.create_key(account, "echo", "soak")
    assert [desk.chat("rest", agent="echo", key=key).status for key in (oldest, next_one, newest)] == [401, 200, 200]
    assert len(realm._created) == MOST_CREATED
    assert oldest not in {
        *realm._limiters,
        *realm.balances,
        *(name.removeprefix("session/") for name in realm.ids._drawn),
    }
