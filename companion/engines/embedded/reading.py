"""A message as the engine reads it: the whole, its sentences, and with what was said before where it leans on that."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from chatbot.core.encoder.values import Floats
from companion.engines.embedded.acts import Act, acts_in, asks_in, is_one_of
from companion.engines.embedded.index import BankIndex, Likeness, Query
from companion.engines.embedded.understanding import Understood
from companion.types import Language
from companion.words import content_words, lexicon, sentences_of, words_of

ASIDE = 3  # words: "omg.", "lol ok." before something else are not what is answered
MOST_PARTS = 5
GREETING, ASKS_BACK = frozenset(("greeting",)), frozenset(("what_about_you",))
GOODBYES = frozenset(("farewell", "farewell_night"))
SHORT = 3  # content words up to which a message is read together with what came before
BEFORE_SHARE = 0.3
SOCIAL = frozenset(("greeting", "thanks", "laugh", "agree", "disagree", "shrug", "silence", "sorry", "farewell"))

Vectors = dict[str, Floats]


@dataclass(frozen=True)
class Reading:
    """acts: of the whole message; of its parts where the whole has none. content: what to look for in the bank, the
    whole first. likeness: one per content. blended: the same for the message together with the teen's last ones,
    or None; made when it is asked for."""

    text: str
    acts: tuple[Act, ...]
    content: tuple[str, ...]
    likeness: tuple[Likeness, ...]
    blended: Callable[[], Likeness | None]
    greets: bool
    asks: bool
    words: tuple[str, ...]
    understood: Understood | None = None


@functools.lru_cache(maxsize=256)
def parts_of(text: str, language: Language) -> tuple[str, ...]:
    """What to look for: the message without a greeting before it, and its sentences that are more than manners."""
    bare = without_greeting(text, language)
    parts = [bare]
    sentences = sentences_of(bare)
    if len(sentences) > 1:
        long = [part for part in sentences[:-1] if len(part.split()) > ASIDE]
        parts += [part for part in (*long, sentences[-1]) if not _is_manners(part, language)][-MOST_PARTS:]
    return tuple(dict.fromkeys(part for part in parts if part)) or (text,)


def _is_manners(text: str, language: Language) -> bool:
    return any(act.name in SOCIAL for act in acts_in(text, language) if act.whole)


def without_greeting(text: str, language: Language) -> str:
    """ "hey abraco, i lost my keys" is "i lost my keys", "what about you, got any pets?" is "got any pets?"; a message
    that is only a greeting stays."""
    words = text.split()
    for count in range(min(3, len(words) - 1), 0, -1):
        head = " ".join(words[:count])
        # "What's your" is one too: it is only taken off where a comma ends it.
        heads = GREETING | ASKS_BACK if head.endswith((",", "?", ".", "!")) else GREETING
        if is_one_of(head, language, heads):
            return " ".join(words[count:])
    return text


def context_of(text: str, before: Sequence[str], language: Language) -> tuple[str, ...]:
    """The teen's earlier messages to read this one with, if it is short or refers back."""
    words = words_of(text, language)
    leans = len(content_words(words, language)) <= SHORT or bool(lexicon(language).refers & set(words[:6]))
    return tuple(before) if leans else ()


def needed(text: str, before: Sequence[str], language: Language) -> tuple[str, ...]:
    """The texts whose vectors the reading needs: the message first."""
    return tuple(dict.fromkeys((text, *parts_of(text, language), *context_of(text, before, language))))


def read(
    text: str,
    before: Sequence[str],
    *,
    index: BankIndex,
    language: Language,
    vector_of: Callable[[str], Floats | None],
    understood: Understood | None = None,
) -> Reading:
    """vector_of gives the vector of one of `needed`, or None where there is no encoder. understood: the message, where
    there are heads for it."""
    content = parts_of(text, language)
    queries = [index.query(part, vector_of(part)) for part in content]
    context = context_of(text, before, language)

    def blended() -> Likeness | None:
        if not context:
            return None
        vectors = [vector for one in context if (vector := vector_of(one)) is not None]
        earlier = index.query(" ".join(context), _unit(np.mean(vectors, axis=0)) if vectors else None)
        return index.likeness(_blend(queries[0], earlier))

    return Reading(
        text=text,
        acts=_acts(text, language),
        content=content,
        likeness=tuple(index.likeness(query) for query in queries),
        blended=blended,
        greets=content[0] != text,
        asks=asks_in(text, language),
        words=words_of(text, language),
        understood=understood,
    )


def _acts(text: str, language: Language) -> tuple[Act, ...]:
    whole = acts_in(text, language)
    if whole or len(sentences_of(text)) < 2:
        return whole
    # The sentences' acts count only if each sentence has one: "hi! i failed" is not a greeting.
    each = [acts_in(part, language) for part in sentences_of(text)]
    if all(each):
        return tuple(
            sorted((act for acts in each for act in acts), key=lambda act: (not act.first, act.name in SOCIAL))
        )
    # A goodbye at the end ends it, whatever was said before.
    leaves = tuple(act for act in each[-1] if act.name in GOODBYES and act.whole)
    true = (act for acts in each for act in acts if act.first and act.name in ("are_you_real", "love_you"))
    return (*true, *leaves)


def _blend(message: Query, context: Query) -> Query:
    """The message, with a share of what came before."""
    features = {name: weight * (1 - BEFORE_SHARE) for name, weight in message.features.items()}
    for name, weight in context.features.items():
        features[name] = features.get(name, 0.0) + weight * BEFORE_SHARE
    if message.vector is None or context.vector is None:
        return Query(features, None, message.feeling, message.grave)
    mixed = (1 - BEFORE_SHARE) * message.vector + BEFORE_SHARE * context.vector
    return Query(features, _unit(mixed), message.feeling, message.grave)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), dtype=np.float32)
