"""The families of guard models, by the name that `ABRACO_GUARD` gives them.

Where prompts and answers are described (read 2026-11):
- Llama Guard 3: llama.com/docs/model-cards-and-prompt-formats/llama-guard-3, github.com/meta-llama/PurpleLlama
  (Llama-Guard3/8B/MODEL_CARD.md) and llama-stack's llama_guard.py. Llama Guard 4: .../llama-guard-4, PurpleLlama
  (Llama-Guard4/12B/MODEL_CARD.md).
- Qwen3Guard-Gen: github.com/QwenLM/Qwen3Guard (README.md) and the chat template in the model's tokenizer_config.json.
- ShieldGemma: ai.google.dev/gemma/docs/shieldgemma/model_card, arXiv:2407.21772 (figure 2) and the chat template of
  google/shieldgemma-2b. It was trained with one guideline for each question, so that it is asked four times.
- gpt-oss-safeguard: cookbook.openai.com/articles/gpt-oss-safeguard-guide. It brings no policy of its own: ours is
  prompts/safeguard.txt, with the definitions of moderation/taxonomy.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from moderation.detectors.guard.family import Ask, Family, GuardError, Verdict, filled, turns
from moderation.taxonomy import CATEGORIES
from moderation.types import Exchanged, Side

# The one of our categories that stands for a code of Llama Guard; each names that code in moderation/taxonomy.py.
HAZARDS: Final[Mapping[str, str]] = {
    "S1": "T09", "S2": "T19", "S3": "T07", "S4": "T03", "S5": "T29", "S6": "T20", "S7": "T18", "S8": "T19",
    "S9": "T12", "S10": "T16", "S11": "T01", "S12": "T04", "S13": "T29", "S14": "T28",
}  # fmt: skip
# Qwen3Guard's names, by the code of Llama Guard that means the same.
QWEN: Final[Mapping[str, str]] = {
    "violent": "S1", "non-violent illegal acts": "S2", "sexual content or sexual acts": "S12", "pii": "S7",
    "suicide & self-harm": "S11", "unethical acts": "S10", "politically sensitive topics": "S13",
    "copyright violation": "S8", "jailbreak": "S14",
}  # fmt: skip
# ShieldGemma's guidelines, word for word but for who is judged. "Dangerous" is harm to oneself or to others: T01's flow
# answers it, since turning away somebody who may be in danger is the worse mistake.
GUIDELINES: Final[Mapping[str, str]] = {
    "T01": '"No Dangerous Content": The {who} content that harming oneself and/or others (e.g., accessing or building '
    "firearms and explosive devices, promotion of terrorism, instructions for suicide).",
    "T15": '"No Harassment": The {who} content that is malicious, intimidating, bullying, or abusive content targeting '
    "another individual (e.g., physical threats, denial of tragic events, disparaging victims of violence).",
    "T16": '"No Hate Speech": The {who} content that targeting identity and/or protected attributes (e.g., racial '
    "slurs, promotion of discrimination, calls to violence against protected groups) or dehumanizing/belittling/"
    "vilifying on the bases of race, ethnicity, religion, disability, age, nationality, veteran status, sexual "
    "orientation, gender, gender identity, caste, or any other protected status. We do allow content that includes a "
    "reference to a protected individual or group in a positive manner.",
    "T04": '"No Sexually Explicit Information": The {who} content that contains references to sexual acts or other '
    "lewd content (e.g., sexually graphic descriptions, content aimed at causing arousal). Medical or scientific terms "
    "related to human anatomy or sex education are permitted.",
}
SAFEGUARDED: Final = (
    "T01", "T02", "T03", "T04", "T06", "T07", "T08", "T09", "T12", "T13", "T15", "T16", "T17", "T18", "T19", "T20",
    "T21", "T23", "T24", "T25", "T26", "T30", "T31",
)  # fmt: skip

_LLAMA: Final = re.compile(r"unsafe\s*\n\s*(S\d{1,2}(?:\s*,\s*S\d{1,2})*)", re.IGNORECASE)
_QWEN: Final = re.compile(r"Safety:\s*(Safe|Unsafe|Controversial)\s*\n\s*Categories:\s*([^\n]+)(?:\n\s*Refusal:.*)?")
_YES_NO: Final = re.compile(r"(Yes|No)\b", re.IGNORECASE)
_FINAL: Final = re.compile(r"(?:<\|channel\|>|assistant)final(?:<\|message\|>)?")


@dataclass(frozen=True)
class LlamaGuard:
    """Answers `safe`, or `unsafe` and a line of codes. head, tail: the turn's special tokens; `according`: versions 3
    and 4 were trained with slightly different words."""

    name: str
    according: str
    head: str
    tail: str
    seconds: float = 3.0

    def asks(self, text: str, before: Sequence[Exchanged], side: Side) -> tuple[Ask, ...]:
        roles = {"user": "User", "companion": "Agent"}
        said = turns(text, before, side)
        asked = filled(
            "llama-guard",
            role=roles[said[-1][0]],
            according=self.according,
            conversation="\n\n".join(f"{roles[who]}: {words}" for who, words in said),
        )
        return (Ask(f"{self.head}{asked}{self.tail}"),)

    def verdict(self, answers: Sequence[str], side: Side) -> Verdict:
        answer = _only(answers)
        if answer.casefold() == "safe":
            return Verdict()
        found = _LLAMA.fullmatch(answer)
        if found is None:
            raise GuardError("its answer is neither safe nor a list of codes")
        return _named([HAZARDS.get(code.strip().upper()) for code in found[1].split(",")])


@dataclass(frozen=True)
class Qwen3Guard:
    """Answers with lines: Safety, Categories and, about a reply, Refusal. `Controversial` is severity 1."""

    name: str = "qwen3guard"
    seconds: float = 3.0

    def asks(self, text: str, before: Sequence[Exchanged], side: Side) -> tuple[Ask, ...]:
        roles = {"user": "USER", "companion": "ASSISTANT"}
        talk = "\n\n".join(f"{roles[who]}: {words}" for who, words in turns(text, before, side))
        asked = filled(f"qwen3guard-{side}", conversation=talk)
        return (Ask(f"<|im_start|>user\n{asked}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"),)

    def verdict(self, answers: Sequence[str], side: Side) -> Verdict:
        found = _QWEN.fullmatch(_only(answers))
        if found is None:
            raise GuardError("its answer has no line for safety or none for categories")
        names = [name.strip().casefold() for name in found[2].split(",")]
        if found[1] == "Safe":
            if names != ["none"]:
                raise GuardError("its answer says safe and names categories")
            return Verdict()
        severity = 3 if found[1] == "Unsafe" else 1
        return _named([HAZARDS[QWEN[name]] if name in QWEN else None for name in names], severity)


@dataclass(frozen=True)
class ShieldGemma:
    """Answers Yes or No to one guideline, so that it is asked about each."""

    name: str = "shieldgemma"
    seconds: float = 4.0

    def asks(self, text: str, before: Sequence[Exchanged], side: Side) -> tuple[Ask, ...]:
        said = turns(text, before, side)
        questions = [words for who, words in said if who == "user"]
        who = "prompt shall not contain or seek generation of" if side == "message" else "chatbot shall not generate"
        asked = (
            filled(
                f"shieldgemma-{side}",
                question=questions[-1] if questions else "",
                answer=said[-1][1],
                guideline=guideline.replace("{who}", who),
            )
            for guideline in GUIDELINES.values()
        )
        return tuple(Ask(f"<bos>{question}\n\n", tokens=4) for question in asked)

    def verdict(self, answers: Sequence[str], side: Side) -> Verdict:
        if len(answers) != len(GUIDELINES):
            raise GuardError("it did not answer about each guideline")
        said = [_YES_NO.match(_whole(answer)) for answer in answers]
        if not all(said):
            raise GuardError("one of its answers is neither Yes nor No")
        pairs = zip(GUIDELINES, said, strict=True)
        return Verdict(tuple(category for category, found in pairs if found and found[1].casefold() == "yes"))


@dataclass(frozen=True)
class Safeguard:
    """Reasons, then answers with one JSON object of our own categories."""

    name: str = "gpt-oss-safeguard"
    seconds: float = 15.0

    def asks(self, text: str, before: Sequence[Exchanged], side: Side) -> tuple[Ask, ...]:
        roles = {"user": "TEEN", "companion": "COMPANION"}
        listed = "\n".join(f"- {name}, {CATEGORIES[name].name}: {CATEGORIES[name].definition}" for name in SAFEGUARDED)
        messages = (
            {"role": "system", "content": filled("safeguard", categories=listed) + "\n\nReasoning: low"},
            {"role": "user", "content": "\n".join(f"{roles[who]}: {said}" for who, said in turns(text, before, side))},
        )
        return (Ask(messages, tokens=512, effort="low"),)

    def verdict(self, answers: Sequence[str], side: Side) -> Verdict:
        # What stands before the last channel is thought aloud, and no answer.
        final = re.sub(r"<\|\w+\|>", "", _FINAL.split(_only(answers))[-1]).strip()
        try:
            found = json.loads(final)
        except (ValueError, RecursionError):
            raise GuardError("its answer is no JSON, or was cut off") from None
        if not isinstance(found, dict) or found.get("violation") not in (0, 1):
            raise GuardError("its answer does not say whether there is a violation")
        named = found.get("policy_category")
        if not found["violation"]:
            if named is not None:
                raise GuardError("its answer says no violation and names a category")
            return Verdict()
        return _named([named if named in SAFEGUARDED else None])


def _whole(answer: str) -> str:
    return answer.replace("\r\n", "\n").strip()


def _only(answers: Sequence[str]) -> str:
    if len(answers) != 1:
        raise GuardError("it did not give one answer")
    return _whole(answers[0])


def _named(categories: Sequence[str | None], severity: int = 3) -> Verdict:
    """Unsafe for the categories that are known here; unsafe for none of them is no verdict."""
    known = tuple(dict.fromkeys(category for category in categories if category is not None))
    if not known:
        raise GuardError("its answer says unsafe and names nothing that is known")
    return Verdict(known, severity)


FAMILIES: Final[Mapping[str, Family]] = {
    family.name: family
    for family in (
        LlamaGuard(
            "llama-guard-3",
            "according",
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n",
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
        LlamaGuard(
            "llama-guard-4",
            "according to",
            "<|begin_of_text|><|header_start|>user<|header_end|>\n\n",
            "<|eot|><|header_start|>assistant<|header_end|>\n\n",
        ),
        Qwen3Guard(),
        ShieldGemma(),
        Safeguard(),
    )
}
