"""Code of somebody else's: it is cut off, and what it gives is looked at, before anybody reads it."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from companion.skills.api import Answer, Made, Say
from companion.skills.catalogue import FAULTS, Skills
from companion.skills.runner import BUBBLE, BUBBLES, CHIP, CHIPS, MADE, STATE, SkillFault, checked, cut_off, plain_state
from companion.types import Recalled
from tests.companion.skills.talking import Talk

SECRET = "my diary says hello"
SAYS = (Say("Hello."),)


# --- what doesn't end -------------------------------------------------------------------------------------------------


def test_an_endless_loop_is_cut_off_and_its_thread_is_gone() -> None:
    threads: list[threading.Thread] = []

    def loops() -> None:
        threads.append(threading.current_thread())
        while True:
            try:
                sum(range(10))
            except Exception:  # noqa: S112  a skill that lets nothing stop it
                continue

    with pytest.raises(SkillFault):
        cut_off(loops, seconds=0.05)
    threads[0].join(10)
    assert not threads[0].is_alive()


def test_a_skill_that_waits_is_not_waited_for() -> None:
    wakes, threads = threading.Event(), []

    def waits() -> str:
        threads.append(threading.current_thread())
        wakes.wait()
        return "too late"

    with pytest.raises(SkillFault):
        cut_off(waits, seconds=0.05)
    assert threads[0].is_alive(), "Python can't end what waits outside of it"
    wakes.set()
    threads[0].join(10)
    assert not threads[0].is_alive()


def test_what_ends_in_time_is_handed_on() -> None:
    assert cut_off(lambda: 7) == 7


def _raises(error: BaseException) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    "error",
    [ValueError(SECRET), KeyError(SECRET), SystemExit(SECRET), KeyboardInterrupt(SECRET), BaseException(SECRET)],
)
def test_whatever_is_raised_is_a_fault_that_quotes_nothing(error: BaseException) -> None:
    with pytest.raises(SkillFault) as told:
        cut_off(_raises(error))
    assert SECRET not in str(told.value)
    assert type(error).__name__ in str(told.value)


def test_recursion_without_end_is_a_fault() -> None:
    def deeper() -> None:
        deeper()

    with pytest.raises(SkillFault):
        cut_off(deeper)


# --- what can't be said -----------------------------------------------------------------------------------------------


def test_an_answer_at_every_limit_is_taken() -> None:
    answer = Answer(
        (Say("x" * BUBBLE),) * BUBBLES,
        {"text": "x" * (STATE - 50)},
        chips=("x" * CHIP,) * CHIPS,
        made=Made("story", "x" * 20, "x" * (MADE - 20)),
        mood="silly",
    )
    assert checked(answer) == answer
    assert checked(None) is None


@pytest.mark.parametrize("given", ["hello", {"says": SECRET}, 5, True, (Say("Hello."),), Say("Hello.")])
def test_what_is_no_answer_is_refused(given: Any) -> None:
    with pytest.raises(SkillFault) as told:
        checked(given)
    assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    "says",
    [
        (),
        (Say(""),),
        (Say(" \n\t"),),
        (Say(SECRET * 40),),
        (Say("Hello."),) * (BUBBLES + 1),
        (SECRET,),
        SECRET,
        (Say(None),),  # type: ignore[arg-type]
        (Say(5),),  # type: ignore[arg-type]
        (None,),
        None,
        5,
        (Say("\ud800"),),
        (Say("Hello.", theirs=(SECRET,)),),  # what isn't there
        (Say("Hello.", theirs="Hello"),),  # type: ignore[arg-type]
        (Say("5", theirs=(5,)),),  # type: ignore[arg-type]
    ],
    ids=lambda says: repr(says)[:40],
)
def test_bubbles_that_cant_be_said_are_refused(says: Any) -> None:
    with pytest.raises(SkillFault) as told:
        checked(Answer(says, None))
    assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    "chips",
    [("a", "b", "c", "d"), ("",), ("x" * (CHIP + 1),), (SECRET * 3,), (5,), (None,), None, 5],
    ids=lambda chips: repr(chips)[:40],
)
def test_chips_that_cant_be_tapped_are_refused(chips: Any) -> None:
    with pytest.raises(SkillFault) as told:
        checked(Answer(SAYS, None, chips=chips))
    assert SECRET not in str(told.value)


@pytest.mark.parametrize("made", [Made("story", "A", "x" * MADE), Made(1, 2, 3), "a book"], ids=lambda m: repr(m)[:30])  # type: ignore[arg-type]
def test_what_cant_stand_on_the_shelf_is_refused(made: Any) -> None:
    with pytest.raises(SkillFault):
        checked(Answer(SAYS, None, made=made))


def test_a_mood_that_there_is_not_is_refused() -> None:
    with pytest.raises(SkillFault):
        checked(Answer(SAYS, None, mood="furious"))  # type: ignore[arg-type]


def _nested(levels: int) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for _ in range(levels):
        state = {"in": state}
    return state


BAD_STATES = {
    "no JSON": {"at": datetime(2026, 11, 24), "said": SECRET},
    "a set": {"said": {SECRET}},
    "bytes": {"said": SECRET.encode()},
    "not a number": {"n": float("nan"), "said": SECRET},
    "infinite": {"n": float("inf")},
    "17 KiB": {"text": SECRET * 900},
    "a thousand deep": _nested(1000),
    "a list": [SECRET],
    "a text": SECRET,
    "a number": 5,
    "odd keys": {(SECRET, 1): "a"},
}


@pytest.mark.parametrize("state", BAD_STATES.values(), ids=BAD_STATES.keys())
def test_a_state_that_cant_be_kept_is_refused(state: Any) -> None:
    for answer in (Answer(SAYS, state), Answer(SAYS, None, kept=state)):
        with pytest.raises(SkillFault) as told:
            checked(answer)
        assert SECRET not in str(told.value)


def test_a_state_is_counted_as_it_is_kept() -> None:
    assert plain_state({"text": "x" * (STATE - 20)}) is not None
    with pytest.raises(SkillFault):
        plain_state({"text": "x" * STATE})


def test_a_state_that_holds_itself_is_refused() -> None:
    state: dict[str, Any] = {}
    state["in"] = state
    with pytest.raises(SkillFault):
        checked(Answer(SAYS, state))


def test_the_copy_of_a_state_is_nobody_elses() -> None:
    state: dict[str, Any] = {"words": ["one"], "pair": (1, 2)}
    copy = plain_state(state)
    state["words"].append("two")
    assert copy == {"words": ["one"], "pair": [1, 2]}


# --- a skill of a package's -------------------------------------------------------------------------------------------

PACKAGE = '''
from companion.skills.api import Answer, Card, Introduction, Say, Skill

def card(name, **more):
    asks = (f"lets play {name}", f"can we play {name}")
    return Card(name, {"en": Introduction(name, "A skill of a package.", asks, asks[0])}, **more)

class Echo(Skill):
    """Says what it sees."""
    def __init__(self, card):
        self.card = card
    def begin(self, heard, kept):
        seen = f"{heard.name} {heard.at} {len(heard.memories)}"
        return Answer((Say(seen, "skills/jokes/start/0"),), {"said": 0})
    def go_on(self, heard, state, kept):
        return Answer((Say("Echo.", "en/hello/1", ("Echo",)),), {"said": state["said"] + 1})
    def leave(self, heard, state):
        return Say("Silence.", "skills/jokes/end/0")

class Breaks(Echo):
    def go_on(self, heard, state, kept):
        raise RuntimeError(heard.text)

class Rubbish(Echo):
    def go_on(self, heard, state, kept):
        return Answer(("no Say",), state)
    def leave(self, heard, state):
        return "bye then"

def echo():
    return Echo(card("echo"))

def trusted():
    return Echo(card("trusted", permissions=frozenset({"memory", "timer"})))

def breaks():
    return Breaks(card("breaks"))

def rubbish():
    return Rubbish(card("rubbish"))

def misnamed():
    return Echo(card("other"))

def no_skill():
    return "hello"

def fails():
    raise RuntimeError("no start today")

def jokes():
    return Echo(card("jokes"))
'''


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Skills]]:
    """Installs a package that offers these skills, and loads all there are."""
    directory = tmp_path_factory.mktemp("site")
    info = directory / "pack_of_skills-1.0.dist-info"
    info.mkdir()
    (directory / "pack_of_skills.py").write_text(PACKAGE, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pack-of-skills\nVersion: 1.0\n", encoding="utf-8")

    def with_skills(*entries: str) -> Skills:
        lines = [entry if "=" in entry else f"{entry} = pack_of_skills:{entry}" for entry in entries]
        (info / "entry_points.txt").write_text("\n".join(["[abraco.skills]", *lines]), encoding="utf-8")
        return Skills()

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(directory))
        yield with_skills
        sys.modules.pop("pack_of_skills", None)


@pytest.fixture(scope="module")
def package(installed: Callable[..., Skills]) -> Skills:
    """One package and what stands in the house."""
    skills = installed("echo", "trusted", "breaks", "rubbish")
    assert skills.problems == ()
    return skills


def test_a_skill_of_a_package_is_played_like_every_other(package: Skills) -> None:
    talk = Talk(package)
    talk.say("lets play echo")
    assert talk.said("anything at all") == "Echo."
    assert talk.open is not None
    assert talk.open.state == {"said": 1}
    assert talk.said("stop") == "Silence."
    assert talk.open is None


def test_a_skill_of_a_package_cant_call_its_lines_written(package: Skills) -> None:
    talk = Talk(package)
    outcomes = [talk.say("lets play echo"), talk.say("anything"), talk.say("stop")]
    assert [(say.id, say.theirs) for outcome in outcomes for say in outcome.says] == [(None, ())] * 3


def test_a_skill_sees_name_time_and_memories_only_with_the_permission(package: Skills) -> None:
    memories = (Recalled("m", "like", "likes chess", {}, 0.9, "2026-11-01"),)
    talk = Talk(package, name="Maya", at=datetime(2026, 11, 24, 16), memories=memories)
    assert talk.said("lets play echo") == "None None 0"
    assert talk.said("lets play trusted") == "Maya 2026-11-24 16:00:00 1"


def test_a_skill_that_fails_is_put_away_in_kind_words_rests_at_last_and_is_quoted_nowhere(
    package: Skills, caplog: pytest.LogCaptureFixture
) -> None:
    talk = Talk(package)
    for _ in range(FAULTS):
        assert package.problems == ()
        talk.say("lets play breaks")
        with caplog.at_level(logging.DEBUG):
            outcome = talk.say(SECRET)
        assert [(say.id or "")[:18] for say in outcome.says] == ["skills/house/broke"]
        assert talk.open is None
        assert talk.rows["breaks"].state is None
    assert "breaks" in caplog.text
    assert SECRET not in caplog.text
    (problem,) = package.problems
    assert "'breaks'" in problem
    assert talk.say("lets play breaks").says == (), "it rests"
    assert talk.said("lets play echo") != ""
    assert talk.said("tell me a joke") != ""


def test_rubbish_from_a_package_breaks_nobodys_turn(package: Skills) -> None:
    talk = Talk(package)
    talk.say("lets play rubbish")
    assert "skills/house/left" in str(talk.say("stop").says[0].id)
    talk.say("lets play rubbish")
    assert "skills/house/broke" in str(talk.say("hello").says[0].id)
    assert talk.open is None


def test_what_a_package_offers_wrongly_is_named_and_the_rest_loads(installed: Callable[..., Skills]) -> None:
    wrong = ("misnamed", "no_skill", "fails", "missing", "jokes", "Bad-Name = pack_of_skills:echo")
    skills = installed(*wrong, "echo")
    named = [next(problem for problem in skills.problems if repr(one.split(" ")[0]) in problem) for one in wrong]
    assert len(set(named)) == len(skills.problems) == len(wrong)
    assert "the name is taken" in named[4]
    talk = Talk(skills)
    assert talk.said("lets play echo") != ""
    assert talk.said("tell me a joke") != "", "the shipped one, under its own name"
