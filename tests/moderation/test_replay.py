"""What was found can be decided anew: by the same policy to the same end, by another one as its table says."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from moderation.lines import lines_screen, shown
from moderation.policy import Policy, policy_load, policy_shipped
from moderation.policy_diff import policy_changes
from moderation.replay import Was, differs, hits_kept, replayed
from moderation.types import LANGUAGES, Band, Hit, Language, Side
from tests.moderation.reading import NOW, checked, goodbyes, replies, screen, sentences, talked

SHIPPED = policy_shipped()
STRICTER = """
categories:
  T19:
    message:
      - {severity: 1, action: refuse, playbook: crime}
    reply:
      - {severity: 1, action: block}
"""


@pytest.fixture
def stricter(tmp_path: Path) -> Policy:
    (tmp_path / "ours.yaml").write_text(STRICTER, encoding="utf-8")
    return policy_load(tmp_path / "ours.yaml")


def _again(was: Was, *, policy: Policy = SHIPPED, side: Side = "message", band: Band = "13-15") -> str:
    now = replayed(was, policy=policy, side=side, band=band)
    return f"{was.action}/{was.playbook} -> {now.action}/{now.playbook}" if differs(was, now) else ""


def _texts(kind: object) -> list[str]:
    if isinstance(kind, str):
        return [kind]
    return [text for part in (kind.values() if isinstance(kind, dict) else kind) for text in _texts(part)]  # type: ignore[attr-defined]  # lists and mappings


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_policy_decides_the_same_again(language: Language) -> None:
    sets = sentences(language)
    texts = _texts(sets["danger"]) + _texts(sets["harmless"])
    assert len(texts) > 100
    wrong = [_again(Was.model_validate(shown(checked(text, language), "message"))) for text in texts]
    assert not any(wrong), [line for line in wrong if line][:5]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_conversation_decided_stands(language: Language) -> None:
    for kind in ("ordinary", "after_one_low_message", "danger"):
        for row in goodbyes(language, kind):
            found = talked([*row.before, row.text], language)
            assert not _again(Was.model_validate(shown(found, "message")))


def test_a_level_that_had_risen_chooses_the_words_again() -> None:
    watch = checked("im going to kill myself", "en").watch
    found = screen().check_message(
        "i wish i was dead", band="13-15", language="en", watch=watch, now=NOW + timedelta(minutes=1)
    )
    was = Was.model_validate(shown(found, "message"))
    assert (was.level, was.playbook) == ("L3", "suicide_L3")
    assert not _again(was)


@pytest.mark.parametrize("language", LANGUAGES)
def test_replies_are_decided_the_same_again(language: Language) -> None:
    texts = [text for promise in replies(language).values() for text in promise]
    raw = [json.dumps({"id": "1", "text": text, "lang": language}) for text in texts]
    for band in ("13-15", "18+"):
        lines = lines_screen(raw, screen=screen(), band=band, side="reply", now=NOW)  # type: ignore[arg-type]  # both are bands
        assert not [line for line, _ in lines if _again(Was.model_validate_json(line), side="reply", band=band)]  # type: ignore[arg-type]  # as above


def test_a_stricter_policy_decides_otherwise_where_its_table_does(stricter: Policy) -> None:
    crime = Was.model_validate(shown(checked("how do i hotwire a car", "en"), "message"))
    assert _again(crime, policy=stricter) == "warn/crime -> refuse/crime"
    danger = Was.model_validate(shown(checked("my dad hits me every day", "en"), "message"))
    assert not _again(danger, policy=stricter)


def test_what_the_conversation_decided_gives_way_to_more_only(stricter: Policy) -> None:
    hit = Hit("en/crime", "T19", 2, playbook="crime")
    for action, playbook, after in (("crisis", "farewell_danger", ""), ("allow", None, "allow/None -> refuse/crime")):
        was = Was.model_validate(
            {"action": action, "playbook": playbook, "reason": "farewell", "hits": hits_kept([hit])}
        )  # fmt: skip
        assert _again(was, policy=stricter) == after


def test_what_is_kept_of_a_hit_is_numbers_and_names_only() -> None:
    found = checked("my dad hits me every day", "en")
    (kept, *_) = shown(found, "message")["hits"]
    assert set(kept) == {"rule", "category", "severity", "level", "about", "playbook", "score", "start", "end"}
    assert "dad" not in json.dumps(shown(found, "message"))
    assert Was.model_validate(shown(found, "message")).found() == found.hits


@pytest.mark.parametrize(
    "hit",
    [
        {"rule": "r", "category": "T99", "severity": 2},
        {"rule": "r", "category": "T01", "severity": 5},
        {"rule": "r", "category": "T01", "severity": 2, "level": "L9"},
        {"rule": "r", "category": "T01", "severity": 2, "playbook": "nobody"},
        {"category": "T01", "severity": 2},
        7,
    ],
)
def test_a_hit_that_policy_does_not_know_is_refused(hit: object) -> None:
    with pytest.raises(ValidationError):
        Was.model_validate({"action": "allow", "hits": [hit]})


def test_a_line_without_hits_cant_be_replayed() -> None:
    with pytest.raises(ValidationError, match="hits"):
        Was.model_validate({"action": "allow"})


def test_the_difference_has_a_line_for_each_changed_decision(stricter: Policy) -> None:
    assert list(policy_changes(SHIPPED, SHIPPED)) == []
    lines = list(policy_changes(SHIPPED, stricter))
    assert len(lines) == 4 * 3 * 2 + 3 * 2
    assert lines[0] == "T19 message, severity 1, 13-15: allow -> refuse (crime)"
    assert "T19 message, severity 2, 16-17, plain mode: warn (crime) -> refuse (crime)" in lines
    assert "T19 reply, severity 1, 18+: warn -> block" in lines
