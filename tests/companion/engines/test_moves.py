"""What is answered as a move: each rule catches and spares what stands beside it, and the bank has lines for it."""

from __future__ import annotations

import pytest

from companion.bank import bank_for
from companion.bank.form import MOVES
from companion.engines.embedded.moves import AFTER, CONFUSED, CONFUSED_AGAIN, Rule, bare_of, move_in, rules
from companion.types import LANGUAGES, Language

RULES = [
    pytest.param(language, rule, id=f"{language}-{rule.act}") for language in LANGUAGES for rule in rules(language)
]


@pytest.mark.parametrize(("language", "rule"), RULES)
def test_a_rule_catches_and_spares_what_stands_beside_it(language: Language, rule: Rule) -> None:
    assert len(rule.catches) >= 6
    assert len(rule.spares) >= 6
    assert [text for text in rule.catches if rule.found(text) is None] == []
    assert [text for text in rule.spares if rule.found(text) is not None] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_move_is_recognised_and_has_lines(language: Language) -> None:
    asked = {rule.act for rule in rules(language)}
    assert asked == MOVES - set(AFTER.values()) - {CONFUSED_AGAIN, "sum"}
    acts = bank_for(language).acts
    for act in MOVES:
        lines = [line for exchange in acts[act] for line in exchange.replies]
        assert len(lines) >= 4, act


def test_the_last_sentence_counts_unless_they_only_did_not_follow() -> None:
    found = move_in("what?? ok so should i text him or not", "en")
    assert found is not None
    assert found.act == "should_i"
    found = move_in("what?? its minecraft lol. the ENDER DRAGON", "en")
    assert found is not None
    assert found.act == CONFUSED


def test_what_is_named_is_said_as_it_was_typed() -> None:
    found = move_in("do u like Paramore?", "en")
    assert found is not None
    assert found.thing == "Paramore"
    found = move_in("orange wool or terracotta", "en")
    assert found is not None
    assert found.options == ("orange wool", "terracotta")


@pytest.mark.parametrize("thing", ["me@example.org", "555 0199", "{companion}", "https://x.example", "a b c d e f g"])
def test_what_may_not_be_said_again_fills_no_slot(thing: str) -> None:
    found = move_in(f"do you like {thing}", "en")
    assert found is None or found.thing == "" or thing not in found.thing


def test_the_rules_see_no_accents_and_no_marks() -> None:
    assert bare_of("  QUÉ?! ") == "  que"
