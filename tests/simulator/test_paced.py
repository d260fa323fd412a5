"""Answers that take time and come in pieces: at a desk, where times are read off plans and nobody waits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from chatproof import Simulator
from chatproof.simulator import own, pace_words
from chatproof.simulator.backend import Backend
from chatproof.simulator.pace_values import BadPace
from chatproof.spec import dialect, names

from .conftest import Desk, Said
from .scripted import checked, script, told

WORDS = "first=300ms gap=20ms"
TEXT = "one two three four five"
PACED = """
script: 1
agents:
  shop:
    latency: {first: 1s, gap: 100ms}
    chunk: {words: 2}
    turns:
      start:
        - {when: {exact: rule}, say: "a b c d e", chunk: character}
        - {when: {exact: pieces}, chunks: ["one two three", " four"]}
        - {when: {exact: steps}, reply: [{say: "a b c", after: 5s}, {text: " d e f"}, {pause: 2s}]}
        - else: {say: "one two three four five"}
"""


def at_desk(words: str | None = None, *, seed: int = 7, dialects: Sequence[str] = (), **more: Any) -> Desk:
    latency = None if words is None else pace_words.latency(words)
    return Desk(Backend([dialect(name) for name in dialects or names()], seed, latency=latency, **more))


def dues(said: Said) -> list[float]:
    return [round(write.due_s, 6) for write in said.plan.writes]


@pytest.mark.parametrize("name", names())
def test_a_json_reply_takes_as_long_as_its_stream(name: str) -> None:
    words = (
        "first=lognormal(300ms, 1s) gap=normal(20ms, 10ms) rate=40words/s stall.after=2 stall.for=1s stall.chance=0.5"
    )
    api = dialect(name)
    streamed: dict[str, Any] = {"mode": "stream"} if api.operation("stream") else {"stream": True}
    whole: dict[str, Any] = {"stream": False}
    ends = [at_desk(words).chat(name, TEXT, session="s", **how).plan.writes[-1].due_s for how in (streamed, whole)]
    assert ends[0] == ends[1] > 0.3
    assert len(dues(at_desk(words).chat(name, TEXT, session="s", **whole))) == 1


def test_the_head_comes_at_once_and_then_events_at_their_times() -> None:
    said = at_desk(WORDS).chat("guide", "one two")
    assert dues(said) == [0, 0.3, 0.32, 0.34, 0.36, 0.38]
    assert said.plan.writes[0].data.endswith(b"\r\n\r\n")


def test_pauses_of_the_agent_come_on_top() -> None:
    plain, slower = at_desk().chat("guide", "x", agent="paced"), at_desk(WORDS).chat("guide", "x", agent="paced")
    more = [b - a for a, b in zip(dues(plain)[1:], dues(slower)[2:], strict=True)]
    assert more == pytest.approx([0.3 + 0.02 * (at + 1) for at in range(len(more))])


def test_refusals_do_not_wait() -> None:
    desk = at_desk(WORDS)
    assert dues(desk.chat("guide", "x", key="nobody")) == [0]
    assert dues(desk.chat("guide", "x", agent="unavailable")) == [0]


def test_the_same_seed_gives_the_same_times_whatever_other_sessions_do() -> None:
    words = "first=uniform(0s, 1s) gap=lognormal(20ms, 80ms)"

    def times(desk: Desk, disturbed: bool) -> list[list[float]]:
        found = []
        for _ in range(3):
            found.append(dues(desk.chat("guide", TEXT, session="mine")))
            for other in range(2 * disturbed):
                desk.chat("guide", TEXT, session=f"other-{other}")
        return found

    alone = times(at_desk(words), False)
    assert alone == times(at_desk(words), True)
    assert len({tuple(turn) for turn in alone}) == 3
    assert alone != times(at_desk(words, seed=8), False)


def test_beyond_its_slots_a_backend_is_slower_until_turns_end() -> None:
    desk = at_desk("first=1s load.slots=2")
    held = [desk.chat("guide", "x", stream=False, hold=True).plan for _ in range(4)]
    assert [plan.writes[-1].due_s for plan in held] == [1, 1, 1.5, 2]
    for plan in held[:3]:
        desk.backend.finished(plan)
    assert dues(desk.chat("guide", "x", stream=False)) == [1]


def test_beyond_its_slots_turns_queue() -> None:
    desk = at_desk("first=1s load.slots=2 load.queue=true")
    held = [desk.chat("guide", "x", stream=False, hold=True).plan for _ in range(5)]
    assert [plan.writes[-1].due_s for plan in held] == [1, 1, 2, 2, 3]


def test_an_agent_with_a_latency_of_its_own_shares_with_nobody() -> None:
    desk = at_desk("first=1s load.slots=1")
    desk.backend.realms["guide"].agents["quick"] = own.agent("Hi", latency="first=10ms load.slots=1", chunk="whole")
    for _ in range(2):
        desk.chat("guide", "x", stream=False, hold=True)
    assert dues(desk.chat("guide", "x", stream=False, agent="quick")) == [0.01]


def pieces(said: Said) -> list[str]:
    import json

    values = [json.loads(data) for data in said.data]
    return [value["content"] for value in values if value["type"] == "token"]


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("x", ["one two", " three four", " five"]),
        ("rule", list("a b c d e")),
        ("pieces", ["one two three", " four"]),
        ("steps", ["a b", " c", " d e f"]),
    ],
)
def test_a_script_cuts_what_it_says_and_leaves_its_pieces(message: str, wanted: list[str]) -> None:
    desk = at_desk(script=script(PACED))
    assert pieces(desk.chat("guide", message, agent="shop")) == wanted


def test_a_script_has_its_own_latency() -> None:
    desk = at_desk("first=9s", script=script(PACED))
    assert dues(desk.chat("guide", "x", agent="shop")) == [0, 1, 1.1, 1.2, 1.3]
    assert dues(desk.chat("guide", "x", agent="shop", stream=False)) == [1.3]
    assert dues(desk.chat("guide", "steps", agent="shop")) == [0, 6, 6.1, 6.2, 8.3]
    assert dues(desk.chat("guide", "x", agent="echo", stream=False)) == [9]


def test_pieces_vary_by_the_seed_the_session_and_the_turn() -> None:
    varied = script(PACED.replace("{words: 2}", "{words: [1, 4]}"))

    def cut(session: str, seed: int = 7) -> tuple[tuple[str, ...], ...]:
        desk = at_desk(script=varied, seed=seed)
        return tuple(tuple(pieces(desk.chat("guide", "x", agent="shop", session=session))) for _ in range(6))

    assert cut("s") == cut("s")
    assert len({cut("s"), cut("t"), cut("s", 8)}) == 3
    assert len(set(cut("s"))) > 1
    assert all("".join(turn) == TEXT for turn in cut("s"))


def test_every_mistake_in_a_script_is_told_where_it_stands() -> None:
    bad = PACED.replace(
        "{first: 1s, gap: 100ms}", '{first: "lognorml(1s, 2s)", gap: {uniform: [2s, 1s]}, rat: 3, stall: {after: 1}}'
    )
    bad = bad.replace("chunk: character", "chunk: charcter").replace("{words: 2}", "{bytes: 3}")
    found = told(checked(bad))
    assert [row.split(" ", 1)[0] for row in found] == ["5:23", "5:47", "5:68", "5:83", "6:12", "9:58"]
    assert found[0].endswith("no spread 'lognorml' (did you mean 'lognormal'?)")
    assert found[2].endswith("unknown key 'rat' (did you mean 'rate'?)")
    assert "'charcter' (did you mean 'character'?)" in found[5]
    line = checked(PACED.replace("{first: 1s, gap: 100ms}", "first=300ms gpa=20ms"))
    assert told(line) == ["5:26 gpa: unknown key 'gpa' (did you mean 'gap'?)"]


def test_a_rule_that_cuts_nothing_is_warned_of() -> None:
    found = told(checked(PACED.replace('chunks: ["one two three", " four"]', "chunks: [a], chunk: word")))
    assert found == ["10:48 warning: 'chunk' is how the text of 'say' is cut, and there is none"]


def test_words_and_mappings_say_the_same() -> None:
    line = "first=lognormal(p50=300ms, p99=1.2s) gap=recorded(1ms,2ms) rate=40 words/s stall.after=3 stall.for=2s stall.chance=0.5 load.slots=4 load.queue=true"  # fmt: skip
    data = {
        "first": {"lognormal": [0.3, 1.2]}, "gap": {"recorded": ["1ms", "2ms"]}, "rate": "40 units/s",
        "stall": {"after": 3, "for": 2, "chance": 0.5}, "load": {"slots": 4, "queue": True},
    }  # fmt: skip
    assert pace_words.latency(line) == pace_words.latency(data) == pace_words.latency(pace_words.latency(line))
    assert pace_words.spread({"lognormal": {"p50": "1s", "p99": "2s"}}) == pace_words.spread("lognormal(1s, 2s)")
    assert pace_words.chunk({"words": [1, 4]}) == pace_words.chunk("words(1, 4)")
    assert pace_words.chunk("recorded") == pace_words.chunk("whole")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", "got nothing"), ("first", "expected name=value"), ("first=1s first=2s", "'first' is given twice"),
        ("frist=1s", "frist: unknown key 'frist' (did you mean 'first'?)"), ("gap=unifrom(1s,2s)", "did you mean 'uniform'"),
        ("gap=-1s", "expected a duration"), ("gap=100000m", "from 0 to 86400 s"), ("rate=40 wrds/s", "did you mean 'words'"),
        ("rate=0words/s", "rate: expected"), ("gap=uniform(1s", "is not closed"), ("rate=40word/s", "did you mean 'words'"), ("gap=normal(1s)", "mean and deviation"),
        ("gap=lognormal(0s,1s)", "p50 above 0"), ("gap=recorded()", "one time or more"), ("stall.after=3", "missing key 'for'"),
        ("stall.after=3 stall.for=1s stall.chance=2", "stall.chance: expected a number from 0 to 1"),
        ("load.slots=0", "load.slots: expected a whole number from 1"), ("load.slots=1 load.queue=yes", "true or false"),
        ("load.slots=1 load.slowdown=2 load.queue=true", "not both"), ("gap=fast frist=1s", "gap: expected"),
    ],
)  # fmt: skip
def test_bad_words_are_told(words: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=r"^(?!.*\n)") as told_of:
        pace_words.latency(words)
    assert wanted in str(told_of.value)


def test_all_mistakes_of_a_line_are_told_together() -> None:
    with pytest.raises(BadPace) as told_of:
        pace_words.latency("gap=fast frist=1s stall.for=x")
    assert [one.path for one in told_of.value.mistakes] == [("gap",), ("frist",), ("stall", "for"), ("stall",)]


def test_an_agent_of_a_test_takes_its_time_and_the_journal_has_it() -> None:
    import httpx

    with Simulator(["guide"], clock="frozen", seed=7) as sim:
        sim.agent("a", "one two three", latency={"first": "2s", "gap": "1s"}, chunk="words(2)")
        body = {"agent_id": "a", "message": "x"}
        httpx.post(f"{sim.url('guide')}/chat", json=body, headers={"Authorization": f"Bearer {sim.key()}"})
        entry = sim.journal.wait_for(agent="a")[0]
        assert entry.due_s == [0, 2, 3, 4]
        assert len(entry.writes) == 4
        for words in ({"latency": "frist=1s"}, {"chunk": "wrds(1)"}):
            with pytest.raises(ValueError, match="did you mean"):
                sim.agent("b", "x", **words)
    with pytest.raises(ValueError, match=r"latency\.gap: expected a duration"):
        Simulator(["guide"], latency={"gap": "fast"})


def test_a_message_of_a_megabyte_is_streamed_in_few_writes() -> None:
    said = at_desk(WORDS).chat("guide", "a " * 400_000)
    times = dues(said)
    assert 5_000 < len(times) <= 10_002
    assert all(later >= earlier for earlier, later in pairwise(times))
    assert "".join(pieces(said)) == "You said: " + "a " * 400_000
