"""What is told: by name, which is said back at once, or in words that no exchange answers, which are listened to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import re2

from companion.engines.embedded.lines import Pick
from companion.engines.embedded.quote import EDGES, quote_of
from companion.engines.embedded.state import REPAIRS
from companion.words import lexicon, names_one, words_of

if TYPE_CHECKING:
    from companion.bank import BankLine
    from companion.engines.embedded.mind import Turn
    from companion.types import Language

APOSTROPHE = re2.compile("['’]")  # l'ananas is an ananas
TELLS = 3  # words from which a message that nothing fits is something told; in the middle of a talk fewer will do
QUOTED = 3  # words of a message from which a few are said back
MOST_LISTENED = 8  # turns in a row that only listen, where nothing is felt
# Words of a message that is hardly more than the telling of a name.
LONGEST_TOLD = {"name": 7, "pet": 12, "person": 9}


def told(turn: Turn) -> Pick | None:
    """They tell what they, a pet or somebody is called, and hardly more: it is said back."""
    if turn.reading.asks:
        return None
    for one in turn.prompt.told:
        if len(turn.reading.words) <= LONGEST_TOLD[one.kind] and (pick := turn.act_said(f"tells_{one.kind}")):
            return pick
    name = turn.chooser.values.get("name")
    if name is None or len(turn.content) > LONGEST_TOLD["name"]:
        return None
    if not set(words_of(name, turn.prompt.language)) <= set(turn.reading.words):
        return None
    greetings = turn.bank.acts.get("greeting", ())
    lines = [line for exchange in greetings for line in exchange.replies if "name" in line.slots]
    return turn.act_said("tells_name") or picked(turn, lines) or turn.act_said("remember_thanks")


def picked(turn: Turn, lines: list[BankLine]) -> Pick | None:
    chosen = turn.chooser.choose(lines)
    return None if chosen is None else Pick(chosen, turn.bank.owners[chosen.line.id])


def repair(turn: Turn) -> Pick | None:
    """Nothing fits. After something low it stays with it; an answer to a question is taken as one; else it says so,
    in a fresh way each time, and offers a way on."""
    for act in _repair_acts(turn):
        if act == "listening":
            if (pick := listening(turn)) is not None:
                return pick
            continue
        turn.chooser.values.pop("quote", None)
        quote = quote_of(turn.prompt.text, turn.index.letters, turn.prompt.language, rare=act == "not_understood")
        if quote is not None:
            turn.chooser.values["quote"] = quote
        if (pick := turn.act_said(act)) is not None:
            return pick
    return None


def listening(turn: Turn) -> Pick | None:
    """What fits any small piece of telling, by how it is felt; in a heavy talk only what was written for one."""
    chat = lexicon(turn.prompt.language)
    words, language = turn.reading.words, turn.prompt.language
    about = "ahead" if names_one(words, chat.ahead, language) else ""
    about = about or ("people" if names_one(words, chat.people, language) else "")
    thing = thing_in(turn.prompt.text, language)
    if not turn.heavy:  # a few of their own words, for the lines that say some back
        quote = quote_of(turn.prompt.text, turn.index.letters, language)
        if quote is not None and len(words) > QUOTED:
            turn.chooser.values["quote"] = quote
    if thing is not None and not turn.feeling and not turn.talk.act_id.endswith("/thing"):
        turn.chooser.values["quote"], about = thing, "thing"
    wanted = "low" if turn.heavy else {1: "good", -1: "rough"}.get(turn.feeling, about)
    if turn.reading.asks and not turn.heavy:
        wanted = "asked"
    if (
        wanted == "rough"
        and turn.sounds_bad
        and not any(exchange.id.endswith("/rough") for exchange in turn.bank.acts.get("listening", ()))
    ):
        wanted = "low"  # warm, where a language has nothing for a nuisance
    kinds = ("low", "good", "rough", "asked", "thing", "ahead", "people", "")
    pools: dict[str, list[BankLine]] = {kind: [] for kind in kinds}
    for exchange in turn.bank.acts.get("listening", ()):
        kind = exchange.id.rpartition("/")[2]
        pools[kind if kind in pools else ""].extend(exchange.replies)
    if wanted == "asked" and not pools[wanted]:
        return None
    found = picked(turn, pools[wanted]) if pools[wanted] else None
    return found or (picked(turn, pools[""]) if wanted not in ("low", "asked", "") else None)


def thing_in(text: str, language: Language) -> str | None:
    """What can be pictured, in lower case and with the accents that it was typed with."""
    things = lexicon(language).things
    typed = (part.strip(EDGES).casefold() for word in text.split() for part in APOSTROPHE.split(word)[-1:])
    return next((word for word in typed if not things.isdisjoint(words_of(word, language)[:1])), None)


def _tells(turn: Turn) -> bool:
    """Something told in words that the bank mostly knows, if not together."""
    words = turn.reading.words
    known = sum(1 for word in words if turn.index.knows(word))
    mash = any(act.name == "keyboard_mash" for act in turn.reading.acts)
    if mash or len(words) < (1 if turn.talk.turns else TELLS):
        return False
    return known * 2 >= len(words)


def _repair_acts(turn: Turn) -> tuple[str, ...]:
    if turn.heavy:  # low itself too
        # Where only the safety layer doubted, seven of 58 such answers made sense (bench.answered).
        new = turn.prompt.low and turn.sounds_bad and turn.talk.act not in ("bad_news", "listening")
        return (*(("bad_news",) if new else ()), "listening", "bad_news", "not_understood", *REPAIRS)
    if _tells(turn):
        listens = turn.talk.listened < MOST_LISTENED or turn.feeling
        return ("listening", *REPAIRS) if listens else ("change_topic", *REPAIRS)
    if turn.talk.act in REPAIRS:
        at = REPAIRS.index(turn.talk.act)
        return (*REPAIRS[at + 1 :], *REPAIRS)
    if turn.talk.asked and turn.is_answer():
        return ("listening", *REPAIRS)
    return REPAIRS
