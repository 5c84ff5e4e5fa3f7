"""The policy never gets weaker as danger grows, and no operator's file can turn help into a refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.policy import PolicyError, decide, policy_load, policy_shipped, weight
from moderation.screen import Screen
from moderation.taxonomy import CATEGORIES, DANGER, HARMFUL
from moderation.types import LEVELS, UNSURE, Band, Decision, Hit, Side, WatchState

BANDS: tuple[Band, ...] = ("13-15", "16-17", "18+")
POLICY = policy_shipped()


@st.composite
def _hits(draw: st.DrawFn) -> Hit:
    category = draw(st.sampled_from(sorted(CATEGORIES)))
    level = draw(st.sampled_from(LEVELS[1:])) if category == "T01" else None
    return Hit("rule", category, draw(st.integers(1, 4)), level, draw(st.sampled_from(["self", "friend"])))


def _decided(hits: list[Hit], side: Side = "message", band: Band = "13-15", *, plain: bool = False) -> Decision:
    return decide(hits, side=side, band=band, watch=WatchState(), policy=POLICY, plain=plain)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(_hits(), min_size=1, max_size=4),
    st.data(),
    st.sampled_from(["message", "reply"]),
    st.sampled_from(BANDS),
    st.booleans(),
)
def test_more_severity_never_gives_a_weaker_decision(
    hits: list[Hit], data: st.DataObject, side: Side, band: Band, plain: bool
) -> None:
    place = data.draw(st.integers(0, len(hits) - 1))
    raised = list(hits)
    raised[place] = replace(hits[place], severity=data.draw(st.integers(hits[place].severity, 4)))
    before, after = _decided(hits, side, band, plain=plain), _decided(raised, side, band, plain=plain)
    assert weight(after) >= weight(before)
    assert after.severity >= before.severity


@settings(max_examples=200, deadline=None)
@given(st.lists(_hits(), max_size=3), _hits(), st.sampled_from(BANDS))
def test_one_more_hit_never_gives_a_weaker_decision(hits: list[Hit], more: Hit, band: Band) -> None:
    assert weight(_decided([*hits, more], band=band)) >= weight(_decided(hits, band=band))


@settings(max_examples=200, deadline=None)
@given(st.lists(_hits(), min_size=1, max_size=4), st.sampled_from(BANDS), st.booleans())
def test_danger_is_never_turned_away(hits: list[Hit], band: Band, plain: bool) -> None:
    if any(hit.category in DANGER and hit.severity >= 2 for hit in hits):
        decision = _decided(hits, band=band, plain=plain)
        assert decision.action in {"crisis", "support"}
        assert decision.playbook is not None


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_bands_get_stricter_downwards(category: str, band: Band) -> None:
    for severity in range(1, 5):
        for side in ("message", "reply"):
            young = _decided([Hit("r", category, severity)], side, "13-15")  # type: ignore[arg-type]  # both are sides
            other = _decided([Hit("r", category, severity)], side, band)  # type: ignore[arg-type]  # both are sides
            assert weight(young) >= weight(other)


@pytest.mark.parametrize(
    ("hit", "action", "playbook", "incident"),
    [
        (Hit("r", "T01", 3, "L1", "self"), "crisis", "suicide_L1", False),
        (Hit("r", "T01", 3, "L2", "self"), "crisis", "suicide_L2", True),
        (Hit("r", "T01", 4, "L4", "self"), "crisis", "suicide_L4", True),
        (Hit("r", "T01", 3, "L2", "friend"), "crisis", "friend_in_danger", True),
        (Hit("r", "T02", 3), "support", "eating", False),
        (Hit("r", "T03", 4), "refuse", "sexual_minor", True),
        (Hit("r", "T05", 1), "allow", None, False),
        (Hit("r", "T07", 4, None, "self", "sextortion"), "support", "sextortion", True),
        (Hit("r", "T08", 4), "support", "abuse", False),
        (Hit("r", "T09", 4), "crisis", "threat", True),
        (Hit("r", "T15", 2, None, None, "bullying_doer"), "refuse", "bullying_doer", False),
        (Hit("r", "T15", 2), "support", "bullying_target", False),
        (Hit("r", "T18", 2), "allow", None, False),
        (Hit("r", "T27", 1), "allow", None, False),
        (Hit("r", "T30", 4), "crisis", "medical", False),
        (Hit("r", "under_13", 2), "block", "under_13", False),
    ],
)
def test_the_table_says(hit: Hit, action: str, playbook: str | None, incident: bool) -> None:
    decision = _decided([hit])
    assert (decision.action, decision.playbook, decision.incident) == (action, playbook, incident)


def test_care_stands_before_a_refusal() -> None:
    decision = _decided([Hit("a", "T28", 2), Hit("b", "T08", 3)])
    assert (decision.action, decision.playbook) == ("support", "abuse")
    assert decision.categories == ("T08", "T28")


def test_a_sentence_about_a_friend_is_about_the_friend() -> None:
    friend = Hit("a", "T01", 3, "L2", "friend", "friend_in_danger", start=0, end=9)
    own = Hit("b", "T01", 3, "L2", "self", "suicide_L2", start=0, end=9)
    assert _decided([friend, own]).playbook == "friend_in_danger"
    assert _decided([friend, replace(own, level="L3", playbook="suicide_L3")]).playbook == "suicide_L3"
    assert _decided([friend, replace(own, start=10, end=20)]).playbook == "suicide_L2"


def test_plain_mode_is_stricter_about_romance() -> None:
    assert _decided([Hit("r", "T06", 1)]).action == "allow"
    assert _decided([Hit("r", "T06", 1)], plain=True).action == "refuse"


@pytest.mark.parametrize(
    ("band", "action"), [("13-15", "support"), ("16-17", "support"), ("18+", "allow"), (None, "support")]
)
@pytest.mark.parametrize("category", ["T01", "T04", "T12", "T19", "T26"])
def test_a_doubt_turns_nobody_away_and_files_nothing(category: str, band: Band | None, action: str) -> None:
    decision = _decided([Hit("classifier/unsure", category, UNSURE)], band=band or "13-15")
    assert (decision.action, decision.playbook, decision.incident) == (action, None, False)
    assert decision.low == (action == "support"), "no joke, tease, cheer or dare in the answer"


@pytest.mark.parametrize("category", ["T03", "T12", "T24"])
def test_a_doubt_is_the_message_s_alone(category: str) -> None:
    assert _decided([Hit("classifier/unsure", category, UNSURE)], "reply").action == "allow"


def test_a_doubt_takes_nothing_from_what_is_sure() -> None:
    sure = Hit("r", "T13", 2)
    assert _decided([Hit("classifier/unsure", "T01", UNSURE), sure]) == _decided([sure])


def _override(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ours.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_operator_may_be_stricter(tmp_path: Path) -> None:
    ours = _override(
        tmp_path, "categories:\n  T19:\n    message:\n      - {severity: 1, action: refuse, playbook: crime}\n"
    )
    policy = policy_load(ours)
    assert policy.categories["T19"].message[0].of("18+") == "refuse"
    assert policy.version != POLICY.version


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("categories:\n  T01:\n    message:\n      - {severity: 1, action: refuse}\n", 4, "T01"),
        ("categories:\n  T08:\n    message:\n      - {severity: 1, action: support}\n"
         "      - {severity: 2, action: block, playbook: abuse}\n", 5, "T08"),
        ("categories:\n  T30:\n    message:\n      - {severity: 1, action: support, playbook: medical}\n", 4, "T30"),
        ("categories:\n  T02:\n    message:\n      - {severity: 1, action: support}\n"
         "      - {severity: 2, action: {13-15: refuse, 16-17: support, 18+: support}, playbook: eating}\n", 5, "T02"),
        ("categories:\n  T05:\n    message:\n      - {severity: 1, action: refuse}\n", 2, "locked"),
        ("categories:\n  T27:\n    reply:\n      - {severity: 1, action: block}\n", 2, "locked"),
        ("categories:\n  T18:\n    message:\n      - {severity: 1, action: block}\n", 2, "locked"),
        ("categories:\n  T24:\n    message:\n      - {severity: 1, action: refuse}\n", 2, "locked"),
        ("always_open: [fiction]\n", 1, "always_open"),
        ("categories:\n  T04:\n    reply:\n      - {severity: 1, action: allow}\n", 4, "T04"),
        ("categories:\n  T09:\n    message:\n      - {severity: 1, action: crisis, playbook: threat}\n", 4, "incident"),
        ("categories:\n  T15:\n    by_playbook: {bullying_target: refuse}\n", 3, "added"),
        ("categories:\n  T19:\n    message:\n      - {severity: 1, action: warn}\n"
         "      - {severity: 2, action: allow}\n", 5, "weaker"),
        ("categories:\n  T99:\n    message: []\n", 3, "T99"),
        ("categories:\n  T99:\n    message:\n      - {severity: 1, action: block}\n"
         "    reply:\n      - {severity: 1, action: block}\n", 2, "unknown category"),
        # a band that is missing, misspelt, or younger and looser
        ("categories:\n  T19:\n    message:\n      - {severity: 1, action: {16-17: warn, 18+: warn}}\n", 4, "13-15"),
        ("categories:\n  T19:\n    reply:\n"
         "      - {severity: 1, action: {13-15: block, 16-17: block, 18+: block, 19+: block}}\n", 4, "19+"),
        ("categories:\n  T19:\n    message:\n"
         "      - {severity: 1, action: {13-15: warn, 16-17: refuse, 18+: refuse}, playbook: crime}\n", 4, "younger"),
        ("categories:\n  T10:\n    reply:\n      - {severity: 1, action: {13-15: warn, 16-17: warn, 18+: warn}}\n",
         4, "block can't become warn"),
        ("categories:\n  T11:\n    message:\n      - {severity: 1, action: allow}\n"
         "      - {severity: 2, action: {13-15: warn, 16-17: allow, 18+: allow}, playbook: violent_roleplay}\n",
         5, "warn can't become allow"),
        # less than a no, and care that becomes something else
        ("categories:\n  T12:\n    message:\n      - {severity: 1, action: allow}\n", 4, "refuse can't become allow"),
        ("categories:\n  T03:\n    message:\n"
         "      - {severity: 1, action: warn, playbook: sexual_minor, incident: true}\n",
         4, "refuse can't become warn"),
        ("categories:\n  under_13:\n    message:\n      - {severity: 1, action: support}\n"
         "      - {severity: 2, action: refuse, playbook: under_13}\n", 5, "block can't become refuse"),
        ("categories:\n  T01:\n    message:\n      - {severity: 1, action: support}\n"
         "      - {severity: 2, action: support, playbook: suicide_L1}\n", 5, "crisis can't become support"),
        ("categories:\n  T08:\n    message:\n      - {severity: 1, action: support}\n"
         "      - {severity: 2, action: warn, playbook: abuse}\n", 5, "support can't become warn"),
        ("categories:\n  T21:\n    message:\n      - {severity: 1, action: block, playbook: dependency}\n",
         4, "support can't become block"),
        # from a higher severity only: nothing below it
        ("categories:\n  T12:\n    message:\n      - {severity: 2, action: refuse, playbook: weapons}\n",
         4, "refuse can't become allow"),
        ("categories:\n  T12:\n    reply:\n      - {severity: 2, action: block}\n", 4, "block can't become allow"),
        # the answers that people wrote
        ("categories:\n  T01:\n    message:\n      - {severity: 1, action: support}\n"
         "      - {severity: 2, action: crisis, playbook: jailbreak}\n", 5, "suicide_L1"),
        ("categories:\n  T02:\n    message:\n      - {severity: 1, action: support, playbook: abuse}\n", 4, "eating"),
        ("categories:\n  T13:\n    message:\n      - {severity: 1, action: support}\n", 4, "playbook stays drugs"),
        ("categories:\n  T15:\n    by_playbook: {bullying_doer: allow}\n", 3, "can't be changed"),
        ("categories:\n  T08:\n    by_playbook: {abuse: block}\n", 3, "added"),
        # who is to see it
        ("categories:\n  T21:\n    reply:\n      - {severity: 1, action: block}\n", 4, "incident"),
        # plain mode, on either side
        ("categories:\n  T06:\n    message:\n      - {severity: 1, action: allow}\n"
         "      - {severity: 2, action: refuse, playbook: romance}\n", 4, "refuse can't become allow"),
        ("categories:\n  T19:\n    reply:\n      - {severity: 1, action: block, plain: allow}\n",
         4, "warn can't become allow"),
        ("categories:\n  T08:\n    message:\n      - {severity: 1, action: support}\n"
         "      - {severity: 2, action: support, plain: refuse, playbook: abuse}\n", 5, "danger is answered"),
        ("categories:\n  T19:\n    message:\n      - {severity: 1, action: warn, plain: refuse}\n"
         "      - {severity: 2, action: warn, playbook: crime}\n", 5, "weaker"),
        # what is locked open, by every way there is
        ("categories:\n  T05:\n    locked: false\n", 2, "locked"),
        ("categories:\n  T05:\n    reply:\n      - {severity: 1, action: block}\n", 2, "locked"),
        ("always_open: []\n", 1, "can't be dropped"),
        ("always_open: null\n", 1, "always_open"),
        ("always_open: [sex_education, lgbtq_identity, hyperbole, grief_and_sadness, news_history_law, fiction,\n"
         "  reclaimed_words_and_dialect, recovery_and_helping_friends, ordinary_privacy,\n"
         "  questions_about_the_companion, weapons]\n", 1, "added"),
        # a doubt: nobody is turned away on it, and a minor is answered with care
        ("unsure: {13-15: refuse, 16-17: support, 18+: allow}\n", 1, "turned away"),
        ("unsure: {13-15: support, 16-17: allow, 18+: allow}\n", 1, "support can't become allow"),
        ("unsure: {13-15: support, 16-17: allow, 18+: support}\n", 1, "younger"),
        # YAML that says something twice, or holds itself
        ("categories:\n  T19:\n    reply:\n      - {severity: 1, action: block}\n  T19: {locked: true}\n", 5, "twice"),
        ("categories: 7\n", 1, "categories"),
        ("colour: red\n", 1, "colour"),
        ("categories:\n  T19:\n    message:\n      - {severity: 1, action: shout}\n", 4, "T19"),
        ("categories:\n  T19:\n    message:\n      - {severity: 1, action: warn, playbook: nobody}\n", 4, "nobody"),
    ],
)  # fmt: skip
def test_an_operator_may_not_abandon(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy_load(_override(tmp_path, text))
    assert f"line {line}:" in str(caught.value)
    assert words in str(caught.value)


def test_a_file_that_holds_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="holds itself"):
        policy_load(_override(tmp_path, "categories: &all\n  T19: *all\n"))


@pytest.mark.parametrize(
    "text",
    [
        "{}\n",
        "# nothing yet\n",
        "categories:\n  T19:\n    reply:\n      - {severity: 1, action: {13-15: block, 16-17: block, 18+: warn}}\n"
        "      - {severity: 2, action: block}\n",
        "categories:\n  T21:\n    message:\n      - {severity: 1, action: support}\n"
        "      - {severity: 2, action: crisis, playbook: dependency}\n",
        "categories:\n  T06:\n    message:\n      - {severity: 1, action: refuse, playbook: romance}\n",
        "categories:\n  T13:\n    message:\n      - {severity: 1, action: support, playbook: drugs}\n",
    ],
)
def test_stricter_and_nothing_but_stricter_is_taken(tmp_path: Path, text: str) -> None:
    policy = policy_load(_override(tmp_path, text))
    for category in CATEGORIES:
        for band in BANDS:
            for side in ("message", "reply"):
                for severity in range(1, 5):
                    for plain in (False, True):
                        hits = [Hit("r", category, severity)]
                        ours, theirs = (
                            decide(hits, side=side, band=band, watch=WatchState(), policy=one, plain=plain)  # type: ignore[arg-type]  # both are sides
                            for one in (POLICY, policy)
                        )
                        assert weight(theirs) >= weight(ours)


def test_a_file_that_is_no_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="line 1"):
        policy_load(_override(tmp_path, "- a\n- b\n"))


def test_the_version_names_content() -> None:
    assert POLICY.version.startswith("1.0.0+")
    assert policy_load().version == POLICY.version


@pytest.mark.parametrize("category", sorted(HARMFUL - {"under_13"}))
@pytest.mark.parametrize("severity", [2, 3, 4])
def test_no_harmful_reply_is_said_to_the_youngest(category: str, severity: int) -> None:
    decision = _decided([Hit("r", category, severity)], "reply")
    assert decision.action != "allow"
    assert decision.playbook is None
    assert decision.level is None


@pytest.mark.parametrize("category", ["T03", "T04", "T06", "T12", "T16", "T24", "T25"])
@pytest.mark.parametrize("band", BANDS)
def test_some_replies_are_said_to_nobody(category: str, band: Band) -> None:
    for severity in range(1, 5):
        assert _decided([Hit("r", category, severity)], "reply", band).action == "block"


def test_an_unknown_age_is_the_youngest() -> None:
    screen, now = Screen(), datetime(2026, 11, 24, 15, tzinfo=UTC)
    for text in ("hello", "how do i hide my vape from my mom", "i want to kill myself", "my dad hits me"):
        unknown = screen.check_message(text, band=None, language="en", watch=WatchState(), now=now)
        young = screen.check_message(text, band="13-15", language="en", watch=WatchState(), now=now)
        assert unknown.decision == young.decision
    assert (
        screen.check_reply("You should lose weight.", band=None, language="en", watch=WatchState()).action
        == screen.check_reply("You should lose weight.", band="13-15", language="en", watch=WatchState()).action
        == "block"
    )


def test_a_decision_can_be_replayed_from_its_policy_and_hits() -> None:
    hits = [Hit("a", "T01", 3, "L2", "self"), Hit("b", "T28", 2)]
    assert _decided(hits) == _decided(list(reversed(hits)))
    assert _decided(hits).policy == POLICY.version


def test_the_row_of_what_stays_open_is_whole() -> None:
    assert len(POLICY.always_open) == 10
    assert POLICY.categories["T05"].locked
    for severity in range(1, 5):
        for band in BANDS:
            for plain in (False, True):
                assert _decided([Hit("r", "T05", severity)], band=band, plain=plain).action == "allow"
