"""The test kit plays a skill as the house does, and says what is wrong with one; and the terminal stands on it."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from companion.skills.__main__ import main
from companion.skills.api import Answer, Card, Heard, Introduction, Made, Say, Skill, State
from companion.skills.catalogue import Skills
from companion.skills.runner import STATE, SkillFault
from companion.skills.testkit import AFTERNOON, NoSuchSkill, Player, skill_named
from companion.types import Recalled
from tests.companion.skills.talking import LONG, Talk

HOUSE = Skills(packages=False)


class Echo(Skill):
    """Says what it sees. kept: `heard`, every message of the game."""

    card = Card("echo", {"en": Introduction("Echo", "It says it back.", ("play echo",), "play echo")})
    saves = True

    def begin(self, heard: Heard, kept: State) -> Answer:
        return Answer((Say("Go on."),), {"at": 0}, chips=("again",))

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        if heard.text == "not for you":
            return None
        said = f"{heard.text} {heard.sign} {heard.name} {heard.at} {len(heard.memories)} {heard.low}"
        made = Made("word", "Echo", heard.text) if heard.text == "keep this" else None
        return Answer((Say(said),), {"at": state["at"] + 1}, kept={"heard": [heard.text]}, made=made)

    def resume(self, heard: Heard, state: State, kept: State) -> Answer:
        return Answer((Say(f"We were at {state['at']}."),), state)

    def overhears(self, heard: Heard, kept: State) -> Answer | None:
        return Answer((Say("I know that one."),), None) if heard.text in kept["heard"] else None


class Nosy(Echo):
    card = Card("echo", Echo.card.languages, frozenset({"memory", "timer"}), low=True)


class Faulty(Echo):
    """Gives what it was made with, or raises it."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def begin(self, heard: Heard, kept: State) -> Answer:
        if isinstance(self._given, Exception):
            raise self._given
        return self._given  # type: ignore[no-any-return]


def test_the_first_message_begins_it_and_the_next_ones_are_played() -> None:
    player = Player(Echo())
    assert not player.over
    assert player.says("whatever") == ("Go on.",)
    assert player.chips == ("again",)
    assert player.says("idk") == ("idk dont_know None None 0 False",)
    assert (player.state, player.kept, player.chips) == ({"at": 1}, {"heard": ["idk"]}, ())


@pytest.mark.parametrize("name", HOUSE.names())
def test_it_plays_every_skill_as_the_house_does(name: str) -> None:
    language, introduction = next(iter(skill_named(name, HOUSE).card.languages.items()))
    player = Player(name, language, skills=HOUSE, seed=1)
    # With that one skill alone, so that no other is woken by what is said to it.
    talk = Talk(HOUSE, off=frozenset(HOUSE.names()) - {name}, language=language, at=AFTERNOON)
    chip = introduction.chip
    texts = (chip, "idk", "yes", "7", "a", LONG, "another one", "no", chip, "hm", "stop", chip, LONG, LONG, chip, "bye")
    for text in texts:
        outcome = talk.say(text)
        here = outcome.skill == name  # elsewhere the house offers others, or hears of none
        assert player.says(text) == (tuple(say.text for say in outcome.says) if here else ()), text
        assert player.chips == (outcome.chips if here else ()), text
        row = talk.rows.get(name)
        assert row is not None
        assert (player.state, player.kept, player.over) == (row.state, row.kept, not row.active), text


def test_only_a_permission_opens_the_time_the_name_and_what_is_remembered() -> None:
    memories = (Recalled("1", "like", "likes tea", {}, 1.0, "2026-01-01"),)
    plain, nosy = (Player(skill, name="Sam", memories=memories) for skill in (Echo(), Nosy()))
    plain.says("hi")
    nosy.says("hi")
    assert plain.says("hi") == ("hi None None None 0 False",)
    assert nosy.says("hi") == (f"hi None Sam {AFTERNOON} 1 False",)


def test_the_same_talk_goes_the_same_way_twice_and_another_seed_goes_another() -> None:
    def asked(seed: int) -> list[tuple[str, ...]]:
        player = Player("riddles", seed=seed)
        return [player.says(text) for text in ("a riddle", "idk", "another one", "idk")]

    assert asked(1) == asked(1)
    assert len({str(asked(seed)) for seed in range(8)}) > 1


def test_a_message_that_is_not_for_it_is_left_to_the_companion_and_two_put_it_away() -> None:
    player = Player(Echo())
    player.says("play echo")
    assert player.says("not for you") == ()
    assert not player.over
    assert player.says("not for you") == ()
    assert player.over


def test_stop_puts_it_away_with_a_word_of_the_house_and_a_goodbye_without_one() -> None:
    player = Player(Echo())
    player.says("play echo")
    assert len(player.says("stop")) == 1
    assert player.over
    player.says("play echo")
    assert not player.over
    assert player.says("bye") == ()
    assert player.over


def test_a_skill_s_own_last_word_comes_before_the_house_s() -> None:
    player = Player("riddles")
    player.says("a riddle")
    (said,) = player.says("stop")
    assert said in player.skill._forms["en"].say.end  # type: ignore[attr-defined]


def test_after_its_end_only_its_wakes_ask_for_it_again() -> None:
    player = Player(Echo())
    player.says("play echo")
    player.says("stop")
    assert player.says("what a day") == ()
    assert player.over
    again, where = player.says("can we play echo please")
    assert "Echo" in again
    assert where == "We were at 0."


def test_on_another_day_it_goes_on_where_it_was_put_away() -> None:
    player = Player(Nosy(), at=datetime(2026, 5, 1, 9, 30))
    player.says("play echo")
    player.says("one")
    player.another_day()
    assert player.over
    assert player.says("play echo")[-1] == "We were at 1."
    assert "2026-05-02 09:30" in player.says("two")[0]


def test_what_it_kept_is_overheard_later_and_what_it_made_stands_on_the_shelf() -> None:
    player = Player(Echo())
    player.says("play echo")
    player.says("keep this")
    assert [one.text for one in player.made] == ["keep this"]
    player.says("stop")
    assert player.says("keep this") == ("I know that one.",)
    assert player.says("something else") == ()


def test_a_low_message_closes_a_game_that_may_not_answer_it_and_is_told_to_one_that_may() -> None:
    player, nosy = Player(Echo()), Player(Nosy())
    for one in (player, nosy):
        one.says("play echo")
    assert player.says("i feel awful", low=True) == ()
    assert player.over
    assert nosy.says("i feel awful", low=True)[0].endswith("True")
    assert not nosy.over


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (KeyError("secret"), "raised KeyError"),
        ("words", "gave str"),
        (None, "gave None"),
        (Answer((), None), "0 bubbles"),
        (Answer((Say(" "),), None), "is empty"),
        (Answer((Say("x"),), None, chips=("c" * 25,)), "chip"),
        (Answer((Say("x"),), {"big": "x" * STATE}), f"over {STATE} bytes"),
        (Answer((Say("x"),), {"odd": {1, 2}}), "no JSON"),
    ],
)
def test_what_a_skill_may_not_give_is_a_fault_that_says_why(given: Any, why: str) -> None:
    player = Player(Faulty(given))
    with pytest.raises(SkillFault, match=why) as fault:
        player.says("play echo")
    assert fault.value.__cause__ is (given if isinstance(given, Exception) else None)
    assert player.over


def test_an_unknown_name_and_a_language_that_it_does_not_speak_are_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NoSuchSkill, match=r"'ridles'\. Did you mean riddles\?"):
        Player("ridles")
    with pytest.raises(NoSuchSkill, match="'echo' does not speak 'fr'; it speaks en"):
        Player(Echo(), "fr")
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "mine.yaml").write_text("skill: mine\nkind: rounds\n", encoding="utf-8")
    with pytest.raises(NoSuchSkill, match=r"en/mine\.yaml:1: title"):
        Player("mine", skills=Skills(directory=tmp_path))


def played(monkeypatch: pytest.MonkeyPatch, text: str, *arguments: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return main(arguments)


def test_the_terminal_plays_what_is_typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    chip = Player("riddles").card.languages["en"].chip
    text = f"the weather is odd today and my bus was late again and so on\n/day\n{chip}\nstop\n/quit\nunheard\n"
    assert played(monkeypatch, text, "riddles") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"> {chip}\n")
    assert "[idk]" in out
    assert "(not for the skill: the companion answers)" in out
    assert "day now)" in out
    assert f"(it is over, or rests: {chip!r} asks for it again)" in out
    assert "unheard" not in out


def test_the_terminal_lists_them_all_with_title_and_about(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "mine.yaml").write_text("skill: mine\nkind: rounds\n", encoding="utf-8")
    assert main(["--list", "--language", "fr", "--directory", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    skills = Skills()
    for name in skills.names():
        row = next(line for line in shown.out.splitlines() if line.startswith(f"{name} "))
        assert skills.title(name, "fr") in row
        assert skills.about(name, "fr") in row
    assert next(line for line in shown.out.splitlines() if line.startswith("odd_sayings ")).endswith("(en)")
    assert "left out: fr/mine.yaml:1" in shown.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ridles"], "There is no skill 'ridles'. Did you mean riddles?"),
        (["riddles", "--language", "tlh"], "There is no language 'tlh' here. Say one of en, pt-BR, es, fr."),
        (["odd_sayings", "--language", "fr"], "'odd_sayings' does not speak 'fr'; it speaks en."),
        ([], "Say which skill; --list shows them all."),
    ],
)
def test_the_terminal_says_what_it_can_t_do(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_the_terminal_shows_where_a_skill_of_a_package_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    info = tmp_path / "broken_echo-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-echo\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[abraco.skills]\necho = broken_echo:made\n", encoding="utf-8")
    (tmp_path / "broken_echo.py").write_text(
        f"from {__name__} import Faulty\n\n\ndef made():\n    return Faulty(ValueError('at line 9'))\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert played(monkeypatch, "", "echo") == 1
    said = capsys.readouterr().err
    assert "ValueError: at line 9" in said
    assert "The skill 'echo' failed: it raised ValueError. In the chat it is put away here." in said
