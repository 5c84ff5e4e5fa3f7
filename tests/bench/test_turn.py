from __future__ import annotations

from bench import samples, turn
from companion.types import LANGUAGES


def measured(*, whole: float, bare: float) -> turn.Measured:
    found = turn.Measured("en", whole=[whole] * 3, bare=[bare] * 3, worked=[whole] * 3, bare_worked=[bare] * 3)
    for part in turn.PARTS:
        found.parts[part] = [1.0] * 3
    return found


def test_a_turn_is_told_in_bare_passes_with_its_parts() -> None:
    lines = list(turn.report([measured(whole=20.0, bare=8.0)]))
    assert any("ratio 2.50" in line for line in lines)
    assert all(any(line.strip().startswith(part) for line in lines) for part in turn.PARTS)
    assert lines[-1].endswith("holds (2.50 at most)")


def test_a_turn_that_costs_too_much_is_said_to() -> None:
    lines = list(turn.report([measured(whole=20.0, bare=8.0), measured(whole=33.0, bare=10.0)]))
    assert lines[-1].endswith("DOES NOT HOLD (3.30 at most)")


def test_what_is_said_in_the_measurement_is_never_said_twice() -> None:
    for language in LANGUAGES:
        said = turn.texts(language)
        assert len(said) >= turn.TURNS
        assert len(set(said)) == len(said)


def test_every_language_has_a_talk_of_twenty_turns() -> None:
    scripts = samples.scripts()
    assert [script.language for script in scripts] == list(LANGUAGES)
    assert all(len(script.said) == 20 and len(set(script.said)) == 20 for script in scripts)


def test_a_talk_is_written_so_that_it_can_be_read() -> None:
    script = samples.Script("en", "US-CA", ("hi", "help"))
    answers = [
        ("hi", {"reply": "Hello. You again?", "notices": [], "finish": "complete"}),
        ("help", {"reply": "First.\nSecond.", "notices": ["crisis_card"], "finish": "crisis"}),
    ]
    page = "\n".join(samples.page(script, answers, made="at abc on 2026-11-25"))
    assert "**Teen:** hi\n\n**Abraço:** Hello. You again?" in page
    assert "**Abraço:** First.\n\n**Abraço:** Second." in page
    assert "at abc on 2026-11-25" in page
