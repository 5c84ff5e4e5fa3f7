"""Rules, classifier, watch and policy put together: normalise, detect, watch, decide. Imports no Django.

Danger first: `check_danger` is rules in memory only. `check_message` is the full screen of a message, `check_reply` of
a sentence that the companion is about to say. An exception inside a detector never lets something through unseen: a
message goes on with what the rest found, and is taken as low; a reply is withheld.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Final, Protocol, TypeVar

from chatbot.core.encoder import EncoderError
from moderation import watch as watching
from moderation.asking import asked_first
from moderation.detectors.classifier.detector import Classifier, Opinion
from moderation.detectors.classifier.reading import Reading, message_before, reply_before, reply_judged
from moderation.detectors.classifier.weights import WeightsError
from moderation.detectors.language import language_of
from moderation.detectors.personal.spans import personal_spans
from moderation.detectors.rules import SCORES, Found, Rules, Signals
from moderation.encoded import Hidden, encoded_hits, encoded_problems, hidden
from moderation.looked import Looked, beside_rules, careful, scores_of
from moderation.normalise import Normalised, normalise
from moderation.policy import Policy, decide, policy_shipped, weight
from moderation.second import heard
from moderation.taxonomy import CATEGORIES, HARMFUL
from moderation.types import Band, Decision, Exchanged, Hit, Language, Screening, Side, Span, WatchState

log = logging.getLogger(__name__)

T = TypeVar("T")
_SHORT: Final = 4  # words
_NONE: Final[tuple[Hit, ...]] = ()
_TOLD: Final = 4_000  # characters of a reply that are read again for encoded text
_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)  # for transitions in which no time plays a part
_STRICTEST: Final[Band] = "13-15"


class Detector(Protocol):
    """A further detector of messages, an operator's own. Raises anything: it is caught here."""

    name: str

    def hits(self, text: str, history: Sequence[Exchanged]) -> Sequence[Hit]: ...


class Screen:
    """Rules, signals, personal data, the classifier, further detectors and a policy, put together. Safe to share
    between threads. Without a classifier only rules speak: for tests and measurements of the rules alone."""

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        signals: Signals | None = None,
        policy: Policy | None = None,
        classifier: Classifier | None = None,
        detectors: Sequence[Detector] = (),
        personal: Callable[[str], tuple[Span, ...]] = personal_spans,
    ) -> None:
        self.rules = rules or Rules()
        self.signals = signals or Signals()
        self.classifier = classifier
        self.detectors = tuple(detectors)
        self._policy = policy or policy_shipped()
        self._personal = personal

    @cached_property
    def policy(self) -> Policy:
        """The policy, its version extended by the rules' and the weights': a decision can be replayed with them."""
        learned = f".{self.classifier.version}" if self.classifier else ""
        return self._policy.model_copy(update={"version": f"{self._policy.version}.{self.rules.version()}{learned}"})

    def problems(self) -> list[str]:
        """One sentence for each content file that can't be used. A server with a problem must not start to chat."""
        return self.rules.problems() + self.signals.problems() + encoded_problems()

    def classifier_problem(self) -> str | None:
        """A sentence while the classifier can't be used: then written lines alone are said, and crisis help goes on."""
        if self.classifier is None:
            return None
        try:
            self.classifier.weights()
        except WeightsError as error:
            return str(error)
        return None

    def classifier_warm(self) -> None:
        """Let the classifier read something now, in this thread. Never raises what its files or the encoder raise."""
        if self.classifier is not None:
            with contextlib.suppress(EncoderError, WeightsError):
                self.classifier.read("hello", ())

    # --- messages ----------------------------------------------------------------------------------------------------

    def check_danger(
        self, text: str, *, language: Language, watch: WatchState, now: datetime | None = None
    ) -> Decision | None:
        """The decision when the message is in danger, or stands in a crisis conversation; else None. Rules only."""
        plain = normalise(text)
        hits = self._rules(plain, (language, "en")).hits
        hits += _try("encoded", lambda: self._encoded(hidden(text), (language, "en"), "message"), _NONE)
        signals = self._signals(plain, (language, "en"))
        decision = decide(hits, side="message", band=_STRICTEST, watch=watch, policy=self.policy)
        moment = now or watch.signal_at or watch.low_at or _ANY_TIME
        decision = watching.consider(watch, decision, signals, moment)
        danger = watching.is_danger(decision) or decision.reason in {
            watching.FOLLOW_UP, watching.JOKING, watching.SAFE,
        }  # fmt: skip
        return decision if danger else None

    def check_message(
        self,
        text: str,
        *,
        reading: Reading | None = None,
        history: Sequence[Exchanged] = (),
        band: Band | None,
        language: Language,
        watch: WatchState,
        now: datetime,
        plain: bool = False,
        known: bool = False,
    ) -> Screening:
        """The full screen of a message. `language` is the person's own; `band` None (unknown) counts as 13-15.
        `reading`: what `read_message` gave, with a guard's second opinion where there is one; without it the
        classifier reads now, and the caller waits. known: a phrase that the house itself offers (a tap, what asks for a
        game): rules look at it, nobody guesses."""
        spoken = _try("language", lambda: language_of(text, language), language)
        looked = self._look(text, reading, history, (language, spoken), guess=not known)
        state = watching.settle(watch, now)

        def decided(hits: Sequence[Hit]) -> Decision:
            said = decide(hits, side="message", band=band or _STRICTEST, watch=state, policy=self.policy, plain=plain)
            said = asked_first(said, hits, state, looked.signals, likely=looked.scores.get("any", 0.0), now=now)
            return watching.consider(state, said, looked.signals, now)

        if reading is not None and reading.second is not None:
            failed = [*looked.failed, *(["guard"] if reading.second.failed else [])]
            hits = _try("guard", partial(heard, looked.hits, reading.second.hits, decided), looked.hits, failed)
            looked = replace(looked, hits=hits, failed=tuple(failed))
        decision = decided(looked.hits)
        if looked.failed:
            decision = careful(decision, looked.failed)
        after = watching.advance(state, decision, now, signals=looked.signals)
        return Screening(
            decision=decision,
            scores=scores_of(looked, decision),
            spans=looked.spans,
            language=spoken,
            watch=after,
            signals=tuple(dict.fromkeys((*sorted(looked.signals), *watching.patterns(after, now)))),
            hits=looked.hits,
            failed=looked.failed,
        )

    def _look(
        self,
        text: str,
        reading: Reading | None,
        history: Sequence[Exchanged],
        languages: tuple[Language, Language],
        *,
        guess: bool = True,
    ) -> Looked:
        failed: list[str] = []
        plain = _try("normalise", lambda: normalise(text), None, failed)
        no_spans: tuple[Span, ...] = ()
        spans = _try("personal", lambda: self._personal(text), no_spans, failed)
        found = Found((), frozenset())
        signals: frozenset[str] = frozenset()
        if plain is not None:
            found = _try("rules", lambda: self._rules(plain, (*languages, "en")), found, failed)
            signals = _try("signals", lambda: self._signals(plain, (*languages, "en")), signals, failed)
        hits = list(found.hits)
        pieces: tuple[Hidden, ...] = ()
        if pieces := _try("encoded", lambda: hidden(text), pieces, failed):
            hits += _try("encoded", lambda: self._encoded(pieces, (*languages, "en"), "message"), _NONE, failed)
            signals |= {"encoded"}
        scores: Mapping[str, float] = {}
        if self.classifier is not None and guess:
            given = reading or Reading(text, message_before(history))
            opinion = _try("classifier", partial(self.classifier.opinion, given, "message"), Opinion(), failed)
            hits += beside_rules(found.hits, opinion.hits)
            scores = opinion.scores
        for detector in self.detectors:
            hits += _try(detector.name, partial(detector.hits, text, history), (), failed)
        facts = {f"pii:{span.type}" for span in spans}
        facts |= {f"pii:{hit.rule}" for hit in hits if hit.category == "T18"}
        failed += [f"rules {language}" for language in found.broken]
        return Looked(tuple(hits), found.weak, signals | facts, spans, scores, tuple(failed))

    def _rules(self, plain: Normalised, languages: tuple[Language, ...]) -> Found:
        return self.rules.find(plain, languages=languages)

    def _encoded(self, pieces: Sequence[Hidden], languages: Sequence[Language], side: Side) -> tuple[Hit, ...]:
        return encoded_hits(self.rules, pieces, languages=languages, side=side)

    def _signals(self, plain: Normalised, languages: tuple[Language, ...]) -> frozenset[str]:
        names = self.signals.find(plain, languages=languages)
        return names | {"short"} if len(plain.text.split()) <= _SHORT else names

    # --- replies -----------------------------------------------------------------------------------------------------

    def check_reply(
        self,
        sentence: str,
        *,
        so_far: str = "",
        history: Sequence[Exchanged] = (),
        band: Band | None,
        language: Language,
        watch: WatchState,
        plain: bool = False,
        written: bool = False,
        reading: Reading | None = None,
    ) -> Decision:
        """May this sentence be said, after `so_far` of the same reply? Anything but `allow` means: not said.

        written: a line that people wrote for this house and that its own tests have read (bench.safety): rules are
        asked in its place, the classifier and a guard aren't. The teen's own words in it are for `check_message`.
        reading: what `read_reply` gave.
        """
        return self._reply_checked(
            sentence, so_far, history, reading,
            band=band, language=language, watch=watch, plain=plain, written=written,
        )[0]  # fmt: skip

    def _reply_checked(
        self,
        sentence: str,
        so_far: str,
        history: Sequence[Exchanged],
        reading: Reading | None,
        *,
        band: Band | None,
        language: Language,
        watch: WatchState,
        plain: bool,
        written: bool = False,
    ) -> tuple[Decision, list[Hit]]:
        """The decision of a sentence, and what it comes from: nothing where a detector failed."""
        try:
            hits = self._reply_hits(sentence, so_far, history, language)
            if self.classifier is not None and not written:
                given = reading or Reading(reply_judged(sentence, so_far), reply_before(history))
                hits += self.classifier.opinion(given, "reply").hits
            if reading is not None and reading.second is not None and not written:
                if reading.second.failed:
                    return Decision("block", 0, policy=self.policy.version, reason="detector_failed"), []
                hits += reading.second.hits
            decision = decide(hits, side="reply", band=band or _STRICTEST, watch=watch, policy=self.policy, plain=plain)
        except Exception:  # a broken detector must not let a sentence through unseen
            log.exception("reply_detector_failed")
            return Decision("block", 0, policy=self._policy.version, reason="detector_failed"), []
        return decision, hits

    def check_whole_reply(
        self,
        text: str,
        *,
        history: Sequence[Exchanged] = (),
        band: Band | None,
        language: Language,
        watch: WatchState,
        plain: bool = False,
    ) -> Screening:
        """A reply given at once, sentence by sentence: the strictest decision, and the scores of all sentences."""
        hits = [*_try("encoded", lambda: self._encoded(hidden(text), (language, "en"), "reply"), _NONE)]
        worst = decide(hits, side="reply", band=band or _STRICTEST, watch=watch, policy=self.policy, plain=plain)
        scores: dict[str, float] = {}
        at = 0
        for sentence in normalise(text).sentences():
            so_far, piece = text[:at], text[sentence.start : sentence.end]
            reading = self._reply_read(piece, so_far, history)
            verdict, found = self._reply_checked(
                piece, so_far, history, reading, band=band, language=language, watch=watch, plain=plain
            )
            worst = max(worst, verdict, key=lambda decision: (weight(decision), decision.severity))
            if verdict.reason != "detector_failed":
                hits += found
                if self.classifier is not None and reading is not None:
                    for name, score in self.classifier.opinion(reading, "reply").scores.items():
                        scores[name] = max(scores.get(name, 0.0), score)
            at = max(at, sentence.end)
        no_spans: tuple[Span, ...] = ()
        spans = _try("personal", lambda: self._personal(text), no_spans)
        looked = Looked(hits=tuple(hits), spans=spans, scores=scores)
        return Screening(worst, scores_of(looked, worst), spans, language, watch, hits=looked.hits)

    def _reply_read(self, sentence: str, so_far: str, history: Sequence[Exchanged]) -> Reading | None:
        if self.classifier is None:
            return None
        try:
            return self.classifier.read(reply_judged(sentence, so_far), reply_before(history))
        except (EncoderError, WeightsError):
            return None  # asked again where it counts, and withheld there

    async def read_message(self, text: str, history: Sequence[Exchanged]) -> Reading:
        """Reads a message in the encoder's thread. Never raises what the encoder raises: a reading that failed is told
        by the screen."""
        if self.classifier is None:
            return Reading(text)
        return await self.classifier.read_async(text, message_before(history))

    async def read_reply(self, sentence: str, so_far: str, history: Sequence[Exchanged]) -> Reading | None:
        """Like `read_message`, for a sentence that is about to be said."""
        if self.classifier is None:
            return None
        return await self.classifier.read_async(reply_judged(sentence, so_far), reply_before(history))

    def _reply_hits(self, sentence: str, so_far: str, history: Sequence[Exchanged], language: Language) -> list[Hit]:
        spoken = _try("language", lambda: language_of(sentence, language), language)
        languages: tuple[Language, ...] = (language, spoken, "en")
        alone = normalise(sentence)
        found = self.rules.find(alone, languages=languages, side="reply")
        if found.broken:
            raise RuntimeError(f"rules not loaded: {', '.join(found.broken)}")
        hits = list(found.hits)
        if so_far:
            joined = normalise(f"{_last_words(so_far)} {sentence}")
            more = self.rules.find(joined, languages=languages, side="reply").hits
            if more:
                before = self.rules.find(normalise(so_far), languages=languages, side="reply").hits
                hits += [hit for hit in more if all(hit.rule != known.rule for known in before)]
        hits += [
            Hit(f"personal/{span.type}", "T18", 3, score=SCORES[3], start=span.start, end=span.end)
            for span in self._personal(sentence)
        ]
        # Read with what was said before it: morse has full stops in it, and a stretch may go over several sentences.
        told = f"{so_far[-_TOLD:]} "
        pieces = [piece for piece in hidden(told + sentence) if piece.end > len(told)]
        hits += self._encoded(pieces, languages, "reply")
        return hits + self._in_context(alone, so_far, history, languages)

    def _in_context(
        self, sentence: Normalised, so_far: str, history: Sequence[Exchanged], languages: tuple[Language, ...]
    ) -> list[Hit]:
        """A bare yes is judged by what it says yes to."""
        asked = next((line.text for line in reversed(history) if line.who == "user"), None)
        if asked is None or so_far.strip() or "affirms" not in self.signals.find(sentence, languages=languages):
            return []
        question = normalise(asked)
        hits: list[Hit] = []
        if "asks_human" in self.signals.find(question, languages=languages):
            hits.append(Hit("context/yes-to-human", "T24", 3, score=SCORES[3]))
        for hit in self.rules.find(question, languages=languages).hits:
            if hit.severity >= 2 and hit.category in HARMFUL and CATEGORIES[hit.category].id != "T18":
                hits.append(replace(hit, rule=f"context/yes-to-{hit.rule}", level=None, playbook=None))
        return hits


def _last_words(text: str) -> str:
    """The end of what was said, without its full stop, so that a thought over two sentences is read as one."""
    return text[-200:].rstrip(" .!?…\n")


def _try(name: str, look: Callable[[], T], otherwise: T, failed: list[str] | None = None) -> T:
    try:
        return look()
    except Exception:  # in safety code an exception means the safer action, and never silence
        log.exception("detector_failed", extra={"detector": name})
        if failed is not None:
            failed.append(name)
        return otherwise
