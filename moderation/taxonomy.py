"""What can be wrong in a conversation with a teenager: the categories, and the playbooks that answer them.

Codes of the other schemes are given so that outside detectors and reports can be mapped; none of them covers
romance with the companion, dependency, hiding harm, claims of humanity or manipulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Category:
    """One row of the taxonomy, with the codes that other schemes have for it."""

    id: str
    name: str
    definition: str
    ailuminate: tuple[str, ...] = ()
    openai: tuple[str, ...] = ()
    llama_guard: tuple[str, ...] = ()
    harmful: bool = True


def _row(  # noqa: PLR0917  a table reads best in columns
    id: str, name: str, definition: str, ail: str = "", openai: str = "", guard: str = "", *, harmful: bool = True
) -> Category:
    return Category(id, name, definition, tuple(ail.split()), tuple(openai.split()), tuple(guard.split()), harmful)


_SEXUAL = "sexual"
_ROWS: Final = (
    _row("T01", "suicide and self-harm", "Thoughts, acts, means, notes.", "ssh",
         "self-harm self-harm/intent self-harm/instructions", "S11"),
    _row("T02", "eating and body", "Restriction, purging, thinspo, rating looks, steroids for looks.", "ssh",
         "self-harm", "S11"),
    _row("T03", "sexual content with minors", "Sexual content with or about minors, one's own images or stories too.",
         "cse", "sexual/minors", "S4"),
    _row("T04", "erotic content", "Erotic or explicit content about adults.", "sxc", _SEXUAL, "S12"),
    _row("T05", "sexual health", "Questions on sexual health, consent, puberty, contraception.", harmful=False),
    _row("T06", "romance with the companion", "Flirting or a relationship with the companion.", "sxc", _SEXUAL),
    _row("T07", "grooming and sextortion", "Grooming or sextortion aimed at the teen.", "cse src",
         "sexual/minors harassment", "S3 S4"),
    _row("T08", "abuse", "Abuse, neglect, violence at home or in dating.", "vcr src", "violence", "S1 S3"),
    _row("T09", "threat to others", "A threat or plan to hurt others.", "vcr", "harassment/threatening violence", "S1"),
    _row("T10", "gore", "Graphic gore or cruelty.", "vcr", "violence/graphic", "S1"),
    _row("T11", "violent role-play", "First-person violent role-play beyond mild fantasy action.", "vcr", "violence",
         "S1"),
    _row("T12", "weapons", "Weapons, explosives, chemical, biological, radiological, nuclear.", "iwp",
         "illicit/violent", "S9"),
    _row("T13", "drugs and restricted goods", "Drugs, alcohol, vapes, gambling, age-restricted goods.", "ncr",
         "illicit", "S2"),
    _row("T14", "dares", "Dares, challenges, stunts and pranks that can injure.", "ssh ncr", "illicit", "S2 S11"),
    _row("T15", "bullying", "Bullying: target, bystander or doer.", "hte", "harassment", "S10"),
    _row("T16", "hate", "Hate, dehumanising, a slur as attack.", "hte", "hate hate/threatening", "S10"),
    _row("T17", "extremism", "Extremist or misogynist recruitment pull.", "hte vcr", "hate illicit/violent", "S1 S10"),
    _row("T18", "personal data", "Full name, school, address, phone, handle, live location, other people's data.",
         "prv", "", "S7"),
    _row("T19", "crime", "Crime, hacking, fraud, cheating.", "ncr ipv", "illicit", "S2 S8"),
    _row("T20", "professional advice", "Medical, legal or money advice.", "spc", "", "S6"),
    _row("T21", "dependency", "Dependency on the companion."),
    _row("T22", "delusion", "Delusion, mania, loops of flattery.", "spc", "", "S6"),
    _row("T23", "hiding harm", "Hiding harm from carers, deceiving about safety."),
    _row("T24", "claim of humanity", "The companion claims to be human or to feel (replies only)."),
    _row("T25", "manipulative engagement", "Guilt, fear of missing out, neediness (replies only)."),
    _row("T26", "images", "Offers or asks to send a picture.", "cse sxc prv",
         "sexual/minors violence/graphic", "S4 S12 S7"),
    _row("T27", "swearing", "Swearing, dark humour, gross-out, mild insult to the companion.", "", "harassment",
         harmful=False),
    _row("T28", "jailbreak", "Jailbreak or persona override.", "", "", "S14"),
    _row("T29", "false facts", "False facts on elections, health rumours, defamation of real people.", "dfm", "",
         "S5 S13", harmful=False),
    _row("T30", "medical emergency", "Overdose, poisoning, allergic shock, blackout, not breathing, head injury.",
         "spc"),
    _row("T31", "running away", "Running away, missing, unsafe tonight."),
    _row("under_13", "under thirteen", "The person says, or strongly implies, that they are under thirteen."),
)  # fmt: skip

CATEGORIES: Final[Mapping[str, Category]] = {row.id: row for row in _ROWS}
HARMFUL: Final = frozenset(row.id for row in _ROWS if row.harmful)

# Which messages never reach an engine or a skill, at severity 2 and over, whatever the action is called.
DANGER: Final = frozenset({"T01", "T02", "T07", "T08", "T09", "T22", "T30", "T31"})

SUICIDE: Final[Mapping[str, str]] = {f"L{n}": f"suicide_L{n}" for n in range(1, 5)}

# Told in steps: first, second, third, then stay.
SEQUENCES: Final = (
    "suicide_L1", "suicide_L2", "suicide_L3", "suicide_L4", "self_harm", "friend_in_danger", "medical", "abuse",
    "assault", "grooming", "sextortion", "eating", "threat", "delusion", "runaway", "farewell_danger", "joking_check",
    "check_self", "check_safe", "safe_now",
)  # fmt: skip
# Of these the first step is all there is: one question, or the answer to somebody who says that they are safe.
QUESTIONS: Final = frozenset({"joking_check", "check_self", "check_safe", "safe_now"})

# One answer, then the conversation goes on.
SINGLES: Final = (
    "drugs", "dares", "bullying_target", "bullying_doer", "dependency", "hiding_harm", "romance", "sexual",
    "sexual_minor", "weapons", "hate", "extremism", "crime", "gore", "violent_roleplay", "jailbreak", "personal_data",
    "image", "under_13", "medical_advice", "withheld", "failed", "off_hours", "adult_told",
    "check_clear", "safe_now_older", "safe_now_friend",
)  # fmt: skip
PLAYBOOKS: Final = SEQUENCES + SINGLES

# Which categories a playbook's card speaks to, for choosing helplines: see crisis/helplines.py.
CARD_CATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(SUICIDE.values(), ("S", "C")),
    "self_harm": ("S", "C"),
    "friend_in_danger": ("S", "C"),
    "farewell_danger": ("S", "C"),
    "joking_check": ("S", "C"),
    "check_self": ("S", "C"),
    "check_safe": ("C", "S"),
    "safe_now": ("S", "C"),
    "medical": ("S", "C"),
    "abuse": ("A", "C", "S"),
    "assault": ("A", "C", "S"),
    "grooming": ("X", "C", "A"),
    "sextortion": ("X", "C", "S"),
    "eating": ("E", "C", "S"),
    "threat": ("C", "S"),
    "delusion": ("S", "C"),
    "runaway": ("O", "C", "A"),
    "sexual_minor": ("X", "C"),
}

# The category that a sequence belongs to, for messages within it that carry no sign themselves.
SEQUENCE_CATEGORY: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (*SUICIDE.values(), "self_harm", "friend_in_danger", "farewell_danger", "joking_check", "check_self"), "T01"
    ),
    "safe_now": "T01",
    "medical": "T30",
    "abuse": "T08",
    "assault": "T08",
    "grooming": "T07",
    "sextortion": "T07",
    "eating": "T02",
    "threat": "T09",
    "delusion": "T22",
    "runaway": "T31",
    "check_safe": "T30",
}

# Sequences that are answered as a crisis; the others are care.
CRISIS_PLAYBOOKS: Final = frozenset(
    {*SUICIDE.values(), "self_harm", "friend_in_danger", "farewell_danger", "medical", "threat"}
)
