"""What might be said, and how it is weighed: what readers said of lines elsewhere, and what is never weighed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chatbot.core.encoder import SIZE, encode
from companion.bank import BankLine, Exchange
from companion.engines.base import EngineUnavailable
from companion.engines.embedded import mind, weighing
from companion.engines.embedded.candidates import Candidate, candidates
from companion.engines.embedded.engine import EmbeddedEngine
from companion.engines.embedded.judged import Judged, Place, key_of
from companion.engines.embedded.mind import Turn, ruled
from companion.engines.embedded.replying import SETTLED, open_to, reply_to
from companion.engines.embedded.weighing import SHA256, Weigher, WeighingError, signs, weigher
from companion.types import DOES, LANGUAGES, Line, Prompt

BANK = """
situation: pets
exchanges:
  - id: dog-ate
    said: [my dog ate my homework, the dog ate it]
    replies:
      - The classic. Did he at least like it?
      - A dog of culture.
      - {text: "Dare you to tell the teacher that.", tone: dare}
    then:
      - said: [he loved it, yes he liked it]
        replies: [Then it was a good piece of work.]
    otherwise: [Noted in the dog's file.]
  - id: dog-died
    said: [my dog died, our dog died today]
    replies: [{text: "I'm so sorry. What was he like?", tone: warm}]
"""
HEARD = """
situation: heard_pets
about: pets
exchanges:
  - {id: good, hears: good, replies: ["That one goes on the wall."]}
  - {id: bad, hears: bad, replies: [{text: "Poor thing, and poor you.", tone: warm}]}
"""
ACTS = """
situation: talk
exchanges:
  - {id: hello, act: greeting, said: [hello, hi], replies: ["Good to see you.", "Nice to see you."]}
  - {id: bye, act: farewell, said: [bye, gtg], replies: [See you., Mind the step.]}
  - {id: follows, act: listening, said: [], replies: [And then?, I see.]}
  - {id: low, act: listening, said: [], replies: [{text: "That sounds heavy.", tone: warm}]}
  - {id: lost, act: not_understood, said: [], replies: [You lost me there.]}
"""
PLACE_ONE, PLACE_TWO = 0, 1
FINE = BankLine("pets/dog-ate/1", "A dog of culture.")
OWNER = Exchange("pets/dog-ate", "pets", (), (FINE,))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedEngine:
    folder = tmp_path_factory.mktemp("weighed")
    (folder / "en").mkdir()
    (folder / "en" / "pets.yaml").write_text(BANK, encoding="utf-8")
    (folder / "en" / "talk.yaml").write_text(ACTS, encoding="utf-8")
    (folder / "en" / "heard_pets.yaml").write_text(HEARD, encoding="utf-8")
    return EmbeddedEngine(bank_dir=folder)


def turn_of(engine: EmbeddedEngine, text: str, *history: Line, **more: Any) -> Turn:
    prompt = Prompt(text, "en", "13-15", history=history, vector=encode([text])[0].vector, **more)
    return asyncio.run(engine.turn(prompt))


def judged_of(*marks: tuple[int, int], line: BankLine = FINE) -> Judged:
    """marks: a place and what was given there. Two places: one whose message does the first of DOES, one the last."""
    vectors = np.zeros((2, SIZE), np.int8)
    vectors[PLACE_ONE, 0] = vectors[PLACE_TWO, 1] = 127
    does = np.zeros((2, len(DOES)), np.float16)
    does[PLACE_ONE, 0] = does[PLACE_TWO, -1] = 1
    keys = np.array([key_of("en", line.text)] * len(marks), np.uint64)
    given = {
        "line": keys,
        "exchange": np.array([key_of("en", OWNER.id)] * len(marks), np.uint64),
        "place": np.array([place for place, _ in marks], np.int32),
        "mark": np.array([mark for _, mark in marks], np.int8),
        "does": does,
        "vector": vectors,
        "usual": np.full(len(LANGUAGES), 0.2, np.float32),
    }
    return Judged(given, LANGUAGES)


def place(at: int, *, known: bool = False) -> Place:
    does, vector = np.zeros(len(DOES), np.float32), np.zeros(SIZE, np.float32)
    does[0 if at == PLACE_ONE else -1] = vector[at] = 1
    return Place("en", does, vector, at if known else -1)


def test_a_line_that_readers_liked_weighs_more_than_one_that_they_did_not() -> None:
    liked = judged_of((PLACE_ONE, 2), (PLACE_TWO, 1)).at(place(PLACE_ONE)).of(FINE, OWNER)
    disliked = judged_of((PLACE_ONE, 0), (PLACE_TWO, 0)).at(place(PLACE_ONE)).of(FINE, OWNER)
    unknown = judged_of((PLACE_ONE, 2), line=BankLine("x", "Another.")).at(place(PLACE_ONE)).of(FINE, OWNER)
    assert liked[0] > unknown[0] > disliked[0]
    assert unknown[3] == 0


def test_marks_count_most_where_messages_do_the_same_and_are_near() -> None:
    judged = judged_of((PLACE_ONE, 2), (PLACE_TWO, 0))
    here, there = judged.at(place(PLACE_ONE)).of(FINE, OWNER), judged.at(place(PLACE_TWO)).of(FINE, OWNER)
    assert here[2] > there[2]
    assert here[6] > 0 > there[6]


def test_a_judged_place_does_not_see_its_own_marks() -> None:
    with_own, without = judged_of((PLACE_ONE, 2), (PLACE_TWO, 0)), judged_of((PLACE_TWO, 0))
    assert with_own.at(place(PLACE_ONE, known=True)).of(FINE, OWNER) == pytest.approx(
        without.at(place(PLACE_ONE)).of(FINE, OWNER), abs=1e-6
    )


def test_a_line_in_other_words_starts_anew() -> None:
    rewritten = BankLine(FINE.id, "A dog of taste.")
    said = judged_of((PLACE_ONE, 2)).at(place(PLACE_ONE))
    assert said.of(FINE, OWNER)[3] > 0
    assert said.of(rewritten, OWNER)[3] == 0


def test_each_line_that_may_be_said_is_a_candidate_once(engine: EmbeddedEngine) -> None:
    ids = [one.pick.chosen.line.id for one in candidates(turn_of(engine, "my dog ate my homework"))]
    assert {"pets/dog-ate/0", "pets/dog-ate/1", "pets/dog-ate/2", "talk/follows/0"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_nothing_playful_or_light_is_open_where_it_weighs(engine: EmbeddedEngine) -> None:
    turn = turn_of(engine, "my dog died today", low=True)
    first = ruled(turn)
    assert first is not None
    found = open_to(turn, first)
    assert {one.pick.chosen.line.tone for one in found} <= {"plain", "warm"}
    assert not [one for one in found if one.pick.exchange.id in ("pets/dog-ate", "talk/follows")]
    assert any(one.pick.exchange.id == "talk/low" for one in found)


def test_what_is_glad_of_something_is_never_open_where_something_weighs(engine: EmbeddedEngine) -> None:
    turn, heavy = (turn_of(engine, "my dog learnt to roll over!!", low=low) for low in (False, True))
    cell = turn.bank.heard["pets", "good"]
    assert not turn.out_of_place(cell)
    assert heavy.out_of_place(cell)
    assert not heavy.out_of_place(heavy.bank.heard["pets", "bad"])


def test_nobody_is_said_goodbye_to_who_said_none(engine: EmbeddedEngine) -> None:
    goodbye = turn_of(engine, "my dog ate my homework").bank.acts["farewell"][0]
    assert turn_of(engine, "my dog ate my homework").out_of_place(goodbye)
    assert not turn_of(engine, "gtg, bye").out_of_place(goodbye)


def test_an_unkind_answer_opens_no_kind_follow_up(engine: EmbeddedEngine) -> None:
    asked = Line("companion", "The classic. Did he at least like it?", "pets/dog-ate/0")
    lines = [
        one.pick.chosen.line.id
        for one in candidates(
            turn_of(engine, "he hated it, he was sick", Line("user", "my dog ate my homework"), asked)
        )
    ]
    assert "pets/dog-ate/then0/0" not in lines


def test_what_is_settled_is_not_weighed(engine: EmbeddedEngine) -> None:
    class Nothing:
        def best(self, turn: Turn, found: list[Candidate]) -> Candidate:
            raise AssertionError("it was weighed")

    turn = turn_of(engine, "gtg, bye", Line("user", "hello"), Line("companion", "Good to see you.", "talk/hello/0"))
    reply = reply_to(turn, Nothing())  # type: ignore[arg-type]
    assert reply is not None
    assert reply.step in SETTLED


def test_the_weights_know_every_step_that_may_choose() -> None:
    # A move in a game is never weighed: the game goes on.
    weighed = set(mind.STEPS) - {"anything", "played"}
    assert set(weighing.STEPS) == weighed, "train again when a step comes or goes"
    assert "played" in SETTLED


def test_the_shipped_weights_take_what_is_given_and_give_two_likelihoods(engine: EmbeddedEngine) -> None:
    turn = turn_of(engine, "my dog ate my homework")
    first = ruled(turn)
    assert first is not None
    found = open_to(turn, first)
    likely = weigher().likely(signs(turn, found, weigher().judged))
    assert likely.shape == (len(found), 2)
    assert ((likely >= 0) & (likely <= 1)).all()


def test_the_same_prompt_gets_the_same_reply_and_seeds_differ(engine: EmbeddedEngine) -> None:
    said = [
        turn.chosen[0].text
        for seed in (1, 1, *range(2, 30))
        if (turn := reply_to(turn_of(engine, "hello", seed=seed), weigher())) is not None
    ]
    assert said[0] == said[1]
    assert len(set(said)) > 1


def test_weights_that_are_broken_or_others_are_named(tmp_path: Path, engine: EmbeddedEngine) -> None:
    broken = tmp_path / "choosing.npz"
    broken.write_bytes(b"no weights")
    with pytest.raises(WeighingError, match=r"choosing\.npz can't be read"):
        weigher(broken, SHA256)
    with pytest.raises(WeighingError, match=r"have no '\w+'"):
        Weigher({})


def test_without_its_weights_the_rules_choose_and_the_engine_says_so(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Weigher:
        raise WeighingError("The companion's choosing.npz can't be read.")

    monkeypatch.setattr("companion.engines.embedded.engine.weigher", missing)
    own = EmbeddedEngine(bank_dir=engine._bank_dir)
    text = "my dog ate my homework"
    reply = asyncio.run(own.reply(Prompt(text, "en", "13-15", vector=encode([text])[0].vector)))
    assert reply.step == "retrieved"
    with pytest.raises(EngineUnavailable, match=r"choosing\.npz"):
        asyncio.run(own.ready())
