"""The switches of the open questions: what each does, how each is thrown, and what a bad one is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatproof import Simulator
from chatproof.simulator.backend import Backend
from chatproof.simulator.rulings import RULINGS, Ruling, from_words, rulings
from chatproof.simulator.serve import serve
from chatproof.spec import ambiguities, dialect, names

from .conftest import Desk
from .controlled import Desk as Controls
from .controlled import controlled
from .scripted import checked, told

At = Callable[[Any, str], Any]


@pytest.fixture
def ruled(desk_of: Callable[..., Desk]) -> Callable[..., Desk]:
    """A desk under these rulings."""

    def make(**given: str) -> Desk:
        return desk_of(rulings={question.replace("_", "-"): name for question, name in given.items()})

    return make


def spent(desk: Desk, name: str = "guide") -> Any:
    """The refusal of a key whose minute is used up."""
    for _ in range(20):
        assert desk.chat(name, key="key-limited").status == 200
    return desk.chat(name, key="key-limited")


@pytest.mark.parametrize(
    ("name", "body", "header"), [("both", 60, "60"), ("body", 60, None), ("header", None, "60"), ("none", None, None)]
)
def test_where_the_wait_is_told(name: str, body: int | None, header: str | None, ruled: Callable[..., Desk]) -> None:
    said = spent(ruled(AMB_04=name))
    assert (said.json.get("retry_after"), said.headers.get("retry-after")) == (body, header)
    assert ("60 seconds" in said.json["detail"]) == (body is not None)
    assert said.json["detail"].startswith("Rate limit exceeded.")


def test_only_where_a_body_has_a_place_for_the_wait_the_header_is_left_out(ruled: Callable[..., Desk]) -> None:
    assert spent(ruled(AMB_04="body"), "rest").headers["retry-after"] == "60"
    assert "retry-after" not in spent(ruled(AMB_04="none"), "rest").headers


@pytest.mark.parametrize(
    ("name", "reset"), [("epoch", "1767225660"), ("delta", "60"), ("milliseconds", "1767225660000")]
)
def test_the_unit_of_the_reset(name: str, reset: str, ruled: Callable[..., Desk]) -> None:
    desk = ruled(AMB_16=name)
    for key in ("key-valid", "no-such-key"):
        assert desk.chat("guide", key=key).headers["x-ratelimit-reset"] == reset


@pytest.mark.parametrize("name", names())
def test_an_unknown_session_may_be_refused(name: str, ruled: Callable[..., Desk], at: At) -> None:
    desk = ruled(AMB_09="404")
    begun = desk.chat(name, "Hi", agent="memory", stream=False)
    session = at(begun.json, dialect(name).reply.roles["session"][0])
    assert desk.chat(name, "Hi", agent="memory", session=session).status == 200
    for key, asked in (("key-valid", "never-seen"), ("key-other-customer", session)):
        said = desk.chat(name, "Hi", agent="memory", session=asked, key=key)
        assert (said.status, "Session not found" in json.dumps(said.json)) == (404, True)
        assert "x-ratelimit-limit" in said.headers


def test_an_expired_session_is_refused_or_replaced_as_an_unknown_one(ruled: Callable[..., Desk]) -> None:
    for name, status in (("404", 404), ("replaced", 200), ("created", 200)):
        desk = ruled(AMB_09=name)
        session = desk.chat("guide", stream=False).json["session_id"]
        desk.clock.advance(86_401)
        late = desk.chat("guide", session=session, stream=False)
        assert late.status == status
        assert (late.json.get("session_id") == session) == (name == "created")


def test_a_session_may_belong_to_the_caller_whoever_answers(ruled: Callable[..., Desk]) -> None:
    for name, known in (("shared", True), ("apart", False)):
        desk = ruled(AMB_24=name)
        desk.text("guide", "code: sesame", session="s", agent="memory")
        assert ("sesame" in desk.text("guide", "what code?", session="s", agent="default")) == known
        assert "sesame" not in desk.text("guide", "what code?", session="s", key="key-other-customer")


def test_a_shared_session_has_each_scripted_agent_answer_for_itself(desk_of: Callable[..., Desk]) -> None:
    two = "script: 1\nrulings: {AMB-24: shared}\nagents:\n  a: {turns: {s: [{else: {say: I am a}}]}}\n  b: {turns: {s: [{else: {say: I am b}}]}}\n"
    desk = desk_of("guide", script=checked(two).script)
    assert [desk.text("guide", "x", agent=agent, session="s") for agent in "abab"] == ["I am a", "I am b"] * 2


def test_a_second_turn_may_be_refused_until_the_first_is_over(ruled: Callable[..., Desk]) -> None:
    desk = ruled(AMB_25="refused")
    first = desk.chat("guide", "a b c", agent="slow", session="s", hold=True)
    said = desk.chat("guide", agent="slow", session="s")
    assert (first.status, said.status, said.json["retry_after"]) == (200, 429, 3)
    assert desk.chat("guide", agent="slow", session="t").status == 200
    desk.backend.finished(first.plan)
    assert desk.chat("guide", agent="slow", session="s").status == 200


def test_any_order_of_refusals_is_drawn_by_the_seed(ruled: Callable[..., Desk]) -> None:
    """A request with faults of three kinds is refused for each of them now and then, and the same way the next time."""

    def statuses(desk: Desk) -> list[int]:
        spent(desk)
        bad = (desk.send("/guide/chat", b"{", key) for _ in range(40) for key in ("no-such-key", "key-limited"))
        return [said.status for said in bad]

    seen = statuses(ruled(AMB_19="any"))
    assert set(seen) == {400, 401, 429}
    assert statuses(ruled(AMB_19="any")) == seen
    assert set(statuses(ruled(AMB_19="auth-first"))) == {400, 401}


@pytest.mark.parametrize(
    ("given", "name", "body", "statuses"),
    [
        ({"AMB_02": "prose"}, "reference", {"publish_id": "ag_echo", "message": "x"}, (200, 422)),
        ({"AMB_02": "query"}, "reference", {"publish_id": "ag_echo", "message": "x"}, (200, 422)),
        ({"AMB_02": "publish"}, "reference", {"publish_id": "ag_echo", "message": "x"}, (200, 200)),
        ({"AMB_08": "400"}, "reference", {}, (422, 400)),
        ({"AMB_20": "refused"}, "guide", {"agent_id": "echo", "message": ""}, (200, 400)),
        ({"AMB_20": "refused"}, "guide", {"agent_id": "echo", "message": "\ud83d"}, (200, 400)),
        ({"AMB_20": "taken"}, "guide", {"agent_id": "echo", "message": "x" * (3 << 20), "stream": False}, (413, 200)),
        ({"AMB_20": "taken"}, "guide", {"agent_id": "echo", "message": "x" * (5 << 20)}, (413, 413)),
    ],
)
def test_what_a_body_may_be(
    given: dict[str, str], name: str, body: Any, statuses: tuple[int, int], desk: Desk, ruled: Callable[..., Desk]
) -> None:
    found = [one.send(f"/{name}/chat", json.dumps(body).encode()).status for one in (desk, ruled(**given))]
    assert tuple(found) == statuses


def test_the_other_decisions(ruled: Callable[..., Desk]) -> None:
    assert "x-ratelimit-limit" not in ruled(AMB_11="known-keys").chat("guide", key=None).headers
    assert ruled(AMB_15="done").chat("reference", agent="failing", stream=True).data[-1].startswith('{"type": "done"')
    listed = ruled(AMB_18="listed")
    assert [listed.chat(name, key="key-broke").status for name in names()] == [200, 402, 200, 200]
    bare = ruled(AMB_23="passed-over")
    assert "www-authenticate" not in bare.chat("guide", key=None).headers
    assert "allow" not in bare.send("/guide/chat", b"", method="GET").headers
    keys = ruled(AMB_26="made")
    path = "/rest/agents/other/api-keys"
    assert keys.send(path, b'{"name": "n"}', "ak_other_agent").status == 200
    assert keys.send(path.replace("other", "echo"), b'{"name": "n"}', "ak_other_agent").status == 401


def test_a_table_by_another_reading(ruled: Callable[..., Desk], at: At) -> None:
    total = ruled(AMB_05="total").chat("guide", "a b", stream=True)
    assert json.loads(total.data[-1])["usage"]["total_tokens"] > 0
    assert json.loads(ruled(AMB_06="named").chat("reference", stream=True, session="s").data[-1])["session_id"] == "s"
    for pointer in RULINGS["AMB-10"]:
        error = ruled(AMB_10=pointer).chat("rest", key=None).json
        assert at(error, pointer) == "unauthorized"
        assert at(error, pointer.rpartition("/")[0] + "/message") == "Invalid or missing API key"
    assert ruled(AMB_14="v1-api").send("/chat/echo", b'{"message": "x"}').status == 404
    assert ruled(AMB_17="own").chat("slug", agent="failing").json == {"message": "Internal server error"}
    for code in ("401", "403", "404"):
        assert ruled(AMB_22=code).chat("rest", key="ak_other_agent").status == int(code)
    accept = {"accept": "text/event-stream"}
    for name, by_body, by_header in (("body", True, False), ("accept", False, True)):
        desk = ruled(AMB_03=name)
        said = (
            desk.chat("rest", stream=True),
            desk.send("/rest/v1/agents/echo/chat", b'{"message": "x"}', headers=accept),
        )
        assert [one.headers["content-type"] == "text/event-stream" for one in said] == [by_body, by_header]


def test_a_ruling_says_nothing_where_its_question_is_not_asked(desk: Desk, ruled: Callable[..., Desk]) -> None:
    asked = {one.id: one.dialects for one in ambiguities()}
    for question, readings in RULINGS.items():
        for name, ruling in readings.items():
            if isinstance(ruling, Ruling) and ruling.table:
                for other in set(names()) - set(asked[question]):
                    assert ruling.table(dialect(other)) == dialect(other), (question, name, other)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["AMB-9=created"], "--ruling: no ruling 'AMB-9' (did you mean 'AMB-09'?)"),
        (["x=created"], "--ruling: no ruling 'x'; there are AMB-01 to AMB-26"),
        (
            ["AMB-09=creatd"],
            "--ruling: AMB-09 has no reading 'creatd' (did you mean 'created'?); it has created, 404, replaced",
        ),
        (["AMB-09"], "--ruling: expected a question and a reading, as AMB-09=created, got 'AMB-09'"),
        (["AMB-09=404", "AMB-09=created"], "--ruling: AMB-09 is ruled twice, 404 and created"),
        (["AMB-12=each-line"], "--ruling: AMB-12=each-line cannot be switched: that fails a MUST"),
        (["AMB-01=json"], "--ruling: AMB-01=json cannot be switched: each dialect keeps to its own document"),
    ],
)
def test_a_bad_flag(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(port=0, ruling=words) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"chatproof serve: {says}" in err
    with pytest.raises(ValueError, match="--ruling"):
        from_words(words)


def test_a_script_has_rulings_and_flags_go_first() -> None:
    text = "script: 1\nrulings:\n  AMB-09: 404\n  AMB-15: done\nagents: {a: {turns: {s: [{else: {say: x}}]}}}\n"
    script = checked(text).script
    backend = Backend([dialect("guide")], script=script, rulings={"AMB-09": "replaced"})
    assert str(backend.rulings) == "AMB-09=replaced, AMB-15=done"
    backend.rule({"AMB-15": "stops"})
    assert str(backend.rulings) == "AMB-09=replaced, AMB-15=stops"
    assert str(backend.twin().rulings) == "AMB-09=replaced, AMB-15=done"
    bad = text.replace("404", "403").replace("AMB-15", "AMB-115")
    assert told(checked(bad)) == [
        "3:11 AMB-09 has no reading '403' (did you mean '404'?); it has created, 404, replaced",
        "4:3 no ruling 'AMB-115' (did you mean 'AMB-15'?)",
    ]


def test_windows_begin_again_where_their_kind_changes(desk: Desk) -> None:
    assert spent(desk).status == 429
    desk.backend.rule({"AMB-15": "done"})
    assert desk.chat("guide", key="key-limited").status == 429
    desk.backend.rule({"AMB-21": "sliding"})
    assert desk.chat("guide", key="key-limited").headers["x-ratelimit-remaining"] == "19"


@pytest.fixture(scope="module")
def both() -> Iterator[Controls]:
    with controlled(rulings={"AMB-15": "done"}) as desk:
        yield desk


def test_control_shows_and_switches(both: Controls) -> None:
    assert both.get("/health")["rulings"] == {"AMB-15": "done"}
    assert both.get("/health")["limits"] is True
    shown = {one["id"]: one for one in both.get("/rulings")["questions"]}
    assert shown["AMB-15"]["in_force"] == "done"
    assert [one["switched"] for one in shown["AMB-12"]["readings"]] == [True, False]
    assert "MUST" in shown["AMB-12"]["readings"][1]["why_not"]
    assert [one["quirk"] for one in shown["AMB-21"]["readings"]] == [False, False, False, True]
    assert both.post("/rulings", {"AMB-09": 404})["in_force"] == {"AMB-09": "404", "AMB-15": "done"}
    assert both.chat(session_id="never-seen").status_code == 404
    assert both.post("/rulings", {"AMB-09": None})["in_force"] == {"AMB-15": "done"}
    both.post("/rulings", {"AMB-15": "stops"})
    both.post("/reset", {"what": ["rulings"]})
    assert both.get("/rulings")["in_force"] == {"AMB-15": "done"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"AMB-9": "404"}, "no ruling 'AMB-9' (did you mean 'AMB-09'?)"),
        ({"AMB-09": "404", "AMB-15": "dne"}, "AMB-15 has no reading 'dne' (did you mean 'done'?)"),
        ({"AMB-99": None}, "no ruling 'AMB-99'"),
        ({"AMB-09": ["404"]}, "AMB-09: expected text or a whole number or null, got a list"),
        ({"AMB-07": "known"}, "AMB-07=known cannot be switched"),
    ],
)
def test_a_bad_ruling_changes_none(body: Any, says: str, both: Controls) -> None:
    assert says in both.problem("POST", "/rulings", body, 400)
    assert both.get("/rulings")["in_force"] == {"AMB-15": "done"}


def test_a_key_on_a_plan_through_control(both: Controls) -> None:
    key = both.post("/keys", {"plan": "Pro", "concurrent": 3}, 201)["key"]
    assert both.chat(key=key).headers["x-ratelimit-limit"] == "120"
    assert "no plan 'Por' (did you mean 'Pro'?)" in both.problem("POST", "/keys", {"plan": "Por"}, 400)


def test_the_library_rules_and_has_plans() -> None:
    with Simulator(["guide", "rest"], rulings={"AMB-16": "delta"}, clock="frozen") as sim, sim.scope("one") as one:
        assert sim.key(plan="Pro") == sim.key(plan="Pro") != sim.new_key(plan="Pro")
        limits = {name: one._scope.backend.realms[name].keys for name in ("guide", "rest")}
        pro = one.new_key("mine", plan="Pro", concurrent=1).removesuffix("@one")
        assert [limits[name][pro].plan.requests_per_minute for name in limits] == [120, 60]
        assert limits["guide"][pro].plan.concurrent == 1
        one.rule({"AMB-09": "404"})
        assert str(one._scope.backend.rulings) == "AMB-09=404, AMB-16=delta"
        assert str(sim._scope.backend.rulings) == "AMB-16=delta"
        with pytest.raises(ValueError, match="no plan 'Gold'"):
            sim.key(plan="Gold")
        with pytest.raises(ValueError, match="not both"):
            sim.key("broke", plan="Pro")
        with pytest.raises(ValueError, match="AMB-09 has no reading"):
            one.rule({"AMB-09": "x"})
    with pytest.raises(ValueError, match="no ruling"):
        Simulator(rulings={"AMB-99": "x"}).__enter__()


def test_what_is_given_is_checked() -> None:
    assert rulings({"AMB-09": "404"}).readings.unknown_session == "404"
    with pytest.raises(ValueError, match="cannot be switched"):
        rulings({"AMB-13": "120-and-10"})
