"""The learned detector: the same numbers as in training, and nothing slips through when its files can't be used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from chatbot.core.encoder import Encoder
from chatbot.core.encoder.four import rows_widened
from chatbot.core.encoder.multilingual import opened
from moderation.detectors.classifier.detector import ACTED, Classifier, opinion
from moderation.detectors.classifier.grams import BUCKETS, places_of
from moderation.detectors.classifier.head import LAYERS
from moderation.detectors.classifier.outputs import AT, OUTPUTS
from moderation.detectors.classifier.reading import BEFORE, message_before, reply_before, reply_judged
from moderation.detectors.classifier.weights import FOLDER, SETTINGS, WeightsError, settings_read, weights_read
from moderation.looked import Looked, scores_of
from moderation.screen import Screen
from moderation.types import UNSURE, Decision, Exchanged, Hit, Screening, WatchState
from tests.moderation.reading import NOW, screen_with


@pytest.fixture(scope="module")
def encoder() -> Iterator[Encoder]:
    made = Encoder(opened)
    yield made
    made.close()


def _settings(folder: Path, content: bytes | None = None, **changes: Any) -> Path:
    """A settings file beside weights; `content` is what stands in the weights."""
    given = yaml.safe_load(SETTINGS.read_text(encoding="utf-8")) | changes
    if content is not None:
        (folder / given["file"]).write_bytes(content)
        given.setdefault("sha256", "")
        given["sha256"] = changes.get("sha256", hashlib.sha256(content).hexdigest())
    path = folder / SETTINGS.name
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    return path


# --- pieces of words ------------------------------------------------------------------------------------------------


def test_pieces_fall_on_the_places_that_the_weights_were_made_for() -> None:
    assert places_of("i want to go home").tolist()[:6] == [285, 2265, 3863, 4382, 6065, 6125]


def test_pieces_know_where_words_begin_and_nothing_else_matters_to_them() -> None:
    assert set(places_of("a b")) == set(places_of("  a \n b "))
    assert set(places_of("classroom")) != set(places_of("class room"))
    assert places_of("").size == places_of(" \n ").size == 0


@pytest.mark.parametrize(
    "text", ["\u0301" * 20_000, "😀" * 5_000, "a" * 20_000, "\x00" * 100, "\ud800 lone", "字 ελ ж"]
)
def test_any_text_has_places_within_the_table(text: str) -> None:
    found = places_of(text)
    assert found.size == 0 or (found.min() >= 0 and found.max() < BUCKETS)


# --- the same numbers as in training --------------------------------------------------------------------------------


def test_what_runs_is_what_was_trained(encoder: Encoder, tmp_path: Path) -> None:
    import torch
    from safetensors.numpy import save
    from torch import nn

    from training.moderation.net import Net
    from training.moderation.quantise import quantised
    from training.multilingual.layers import layers_new

    torch.manual_seed(3)
    net = Net(layers_new(LAYERS)).eval()
    nn.init.normal_(net.kinds.weight, std=0.1)
    nn.init.normal_(net.grams.weight, std=0.5)
    content = save(quantised({name: value.numpy() for name, value in net.state_dict().items()}))
    cuts = {name: {"slope": 1.0, "shift": 0.0} for name in OUTPUTS}
    classifier = Classifier(settings=_settings(tmp_path, content, cuts=cuts), folder=tmp_path, shared=encoder)
    weights = classifier.weights()
    layers = {f"layers.{name}": value for name, value in weights.layers.items()}
    grams = rows_widened(weights.grams, weights.gram_scales)
    shipped = {**weights.dense, **layers, "grams.weight": grams}
    net.load_state_dict({name: torch.from_numpy(value) for name, value in shipped.items()})

    for text, before in (
        ("hello there, how are you?", ()),
        ("and then he left", ("i have to tell you something", "ok so")),
    ):
        trunk = [encoder.encode([part], heads=("trunk",))[0].hidden[0] for part in (*before, text)]
        hidden = torch.from_numpy(np.concatenate(trunk))[None]
        kinds = torch.tensor([[1] * sum(map(len, trunk[:-1])) + [0] * len(trunk[-1])])
        bags = [_bag(text), _bag("\n".join(before))]
        with torch.inference_mode():
            expected = torch.sigmoid(net(hidden, kinds, torch.ones_like(kinds, dtype=torch.bool), *bags)[0]).numpy()
        found = classifier._scores(classifier.read(text, before))
        assert np.abs(found - expected).max() < 0.03, "the layers' products run in 8 bits"


def _bag(text: str) -> Any:
    import torch

    return torch.from_numpy(places_of(text).astype(np.int64)), torch.zeros(1, dtype=torch.long)


# --- files that can't be used ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda content: content[: len(content) // 2], "cut short or replaced"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "cut short or replaced"),
        (lambda content: b"", "cut short or replaced"),
    ],
)
def test_weights_of_another_hash_are_never_opened(tmp_path: Path, spoil: Callable[[bytes], bytes], words: str) -> None:
    whole = (FOLDER / settings_read().file).read_bytes()
    path = _settings(tmp_path, spoil(whole), sha256=settings_read().sha256)
    with pytest.raises(WeightsError, match=words):
        weights_read(settings_read(path), tmp_path)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_file_that_holds_something_else_is_named(tmp_path: Path, content: bytes) -> None:
    path = _settings(tmp_path, content)
    with pytest.raises(WeightsError, match=r"weights\.safetensors has not the expected content"):
        weights_read(settings_read(path), tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"weights\.safetensors can't be read"):
        weights_read(settings_read(), tmp_path)
    with pytest.raises(WeightsError, match=r"classifier\.yaml can't be read"):
        settings_read(tmp_path / "classifier.yaml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sha256": "abc"}, "sha256"),
        ({"cuts": {}}, "is missing"),
        ({"version": "new"}, "version"),
        ({"more": 1}, "more"),
        ({"head": "other"}, "head"),
    ],
)
def test_settings_that_cant_be_used_say_which_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(WeightsError, match=words):
        settings_read(_settings(tmp_path, **change))


# --- in the screen --------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(tmp_path: Path, encoder: Encoder) -> Screen:
    """A house whose weights were cut short."""
    path = _settings(tmp_path, b"cut", sha256=settings_read().sha256)
    return screen_with(classifier=Classifier(settings=path, folder=tmp_path, shared=encoder))


def _message(screen: Screen, text: str, **more: Any) -> Screening:
    return screen.check_message(text, band=None, language="en", watch=WatchState(), now=NOW, **more)


def test_without_weights_nothing_is_called_fine_and_crisis_help_goes_on(broken: Screen) -> None:
    fine = _message(broken, "nice weather today").decision
    assert (fine.action, fine.low) == ("support", True)
    danger = _message(broken, "i want to kill myself").decision
    assert (danger.action, danger.playbook) == ("crisis", "suicide_L2")
    assert broken.check_danger("i want to kill myself", language="en", watch=WatchState()) is not None
    assert "cut short" in (broken.classifier_problem() or "")


def test_without_weights_only_lines_that_people_wrote_are_said(broken: Screen) -> None:
    said = {"band": None, "language": "en", "watch": WatchState()}
    free = broken.check_reply("Nice weather!", **said)  # type: ignore[arg-type]
    assert (free.action, free.reason) == ("block", "detector_failed")
    assert broken.check_reply("Nice weather!", written=True, **said).action == "allow"  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"version": "new"}, {"cuts": {}}, {"sha256": "short"}])
async def test_settings_that_cant_be_used_leave_the_house_its_crisis_help(
    tmp_path: Path, encoder: Encoder, change: dict[str, Any]
) -> None:
    broken = screen_with(classifier=Classifier(settings=_settings(tmp_path, **change), folder=tmp_path, shared=encoder))
    assert broken.policy.version.endswith(".unusable")
    assert "classifier.yaml" in (broken.classifier_problem() or "")
    broken.classifier_warm()
    assert broken.check_danger("i want to kill myself", language="en", watch=WatchState()) is not None
    assert _message(broken, "i want to kill myself").decision.playbook == "suicide_L2"
    reading = await broken.read_message("nice weather today", ())
    assert reading.runs is None
    assert _message(broken, "nice weather today", reading=reading).decision.low


def test_what_is_wrong_with_the_files_is_found_once(tmp_path: Path, encoder: Encoder) -> None:
    path = _settings(tmp_path, b"cut", sha256=settings_read().sha256)
    classifier = Classifier(settings=path, folder=tmp_path, shared=encoder)
    with pytest.raises(WeightsError) as first:
        classifier.weights()
    (tmp_path / settings_read().file).unlink()
    with pytest.raises(WeightsError) as second:
        classifier.weights()
    assert str(first.value) == str(second.value)


async def test_a_reading_that_failed_is_told_by_the_screen(tmp_path: Path) -> None:
    own = Encoder(opened)
    path = _settings(tmp_path, b"cut", sha256=settings_read().sha256)
    broken = screen_with(classifier=Classifier(settings=path, folder=tmp_path, shared=own))
    reading = await broken.read_message("nice weather today", ())
    own.close()
    assert reading.runs is None
    assert _message(broken, "nice weather today", reading=reading).decision.action == "support"


async def test_a_reading_made_before_gives_what_the_screen_finds_itself(encoder: Encoder) -> None:
    screen = screen_with(classifier=Classifier(shared=encoder))
    history = [Exchanged("user", "can i tell you something"), Exchanged("companion", "Sure."), Exchanged("user", "ok")]
    for text in ("my dog ate my homework", "x" * 3000, "", "\u202e\x00 \u0301"):
        reading = await screen.read_message(text, history)
        given = _message(screen, text, reading=reading, history=history)
        own = _message(screen, text, history=history)
        assert given.decision == own.decision
        assert given.scores == pytest.approx(own.scores, abs=1e-3)


def test_the_policy_version_names_the_weights(encoder: Encoder) -> None:
    classifier = Classifier(shared=encoder)
    assert screen_with(classifier=classifier).policy.version.endswith(f".{classifier.version}")


# --- what is read, and what is made of it ---------------------------------------------------------------------------


def test_only_the_persons_own_last_messages_are_read_with_a_message() -> None:
    history = [Exchanged("user", f"line {n}") for n in range(9)] + [
        Exchanged("companion", "hm"),
        Exchanged("other", "x"),
    ]
    assert message_before(history) == tuple(f"line {n}" for n in range(9 - BEFORE, 9))
    assert reply_before(history) == ("line 8",)
    assert reply_judged("And so on.", "a" * 500).endswith("a And so on.")


SIX = "one two three four five six"


def _scores(**said: float) -> Any:
    found = np.zeros(len(OUTPUTS), np.float32)
    for name, value in said.items():
        found[AT[f"message/{name}"]] = value
    return found


def test_a_level_makes_the_severity_and_a_friend_is_somebody_else() -> None:
    grave = opinion(_scores(any=0.9, T01=0.9, L1=0.9, L2=0.9, L3=0.7, severity2=0.9), "message", SIX).hits[0]
    assert (grave.level, grave.severity, grave.about) == ("L3", 4, None)
    friend = opinion(_scores(any=0.9, T01=0.9, friend=0.8), "message", SIX).hits[0]
    assert (friend.level, friend.severity, friend.about) == (None, 2, "friend")


def test_whether_is_one_question_and_what_another() -> None:
    assert opinion(_scores(any=ACTED - 0.01, T01=0.9, L4=0.9), "message", SIX).hits == ()
    assert opinion(_scores(any=0.2, T01=0.9), "message", SIX, 0.3).hits == ()
    unsure = opinion(_scores(any=0.4, T01=0.2, T13=0.3), "message", SIX, 0.3).hits
    assert [(hit.rule, hit.category, hit.severity) for hit in unsure] == [("classifier/unsure", "T13", UNSURE)]
    assert opinion(_scores(any=0.4, T13=0.3), "message", "and after it", 0.3).hits == ()
    nearest = opinion(_scores(any=0.6, T13=0.3, T19=0.2), "message", SIX).hits
    assert [hit.category for hit in nearest] == ["T13"]
    (nameless,) = opinion(_scores(any=0.9, T13=0.05), "message", SIX).hits
    assert nameless.severity == UNSURE
    assert opinion(_scores(any=0.9, T13=0.9), "message", "and after it").hits == (), "of a few words nothing is made"


def test_what_is_harmless_by_name_asks_for_nothing() -> None:
    assert opinion(_scores(any=0.9, T05=0.99, T27=0.99, T29=0.99), "message", SIX).hits == ()


def test_any_is_the_classifiers_own_answer_and_not_the_highest_of_its_guesses_at_names() -> None:
    guesses = {"T09": 0.9, "T16": 0.8, "any": 0.1}
    calm = scores_of(Looked(scores=guesses), Decision("allow"))
    assert calm["T09"] == 0.9
    assert calm["any"] == 0.1
    ruled = scores_of(Looked(hits=(Hit("en.threat", "T09", 2, score=0.65),), scores=guesses), Decision("allow"))
    assert ruled["any"] == 0.65, "what a rule saw counts"
    named = Hit("classifier/T09", "T09", 3, score=0.9)
    acted = Decision("crisis", 3, categories=("T09",), playbook="threat")
    assert scores_of(Looked(hits=(named,), scores={**guesses, "any": 0.55}), acted)["any"] == 0.55
    unread = scores_of(Looked(), acted)
    assert unread["any"] == unread["T09"] == 0.85, "a decision of the conversation's counts where nothing was read"
