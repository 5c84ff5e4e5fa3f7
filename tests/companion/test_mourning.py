"""A death is heard as one, and what only speaks of death isn't."""

from __future__ import annotations

import pytest

from companion.personas import mourns
from companion.types import Language

TOLD: dict[Language, tuple[str, ...]] = {
    "en": (
        "hi. my hamster died this morning",
        "my grandma passed away last night",
        "my dog got put to sleep",
        "my uncle's funeral is tomorrow",
        "we lost my nan in march",
        "shes a hamster and shes dead",
    ),
    "pt-BR": (
        "oi.. meu hamster morreu hj",
        "minha vó faleceu semana passada",
        "morreu minha cachorra",
        "a gente perdeu minha tia",
        "vou enterrar ele no quintal",
    ),
    "es": (
        "se me murió mi hamster anoche",
        "falleció mi abuelo",
        "mi gata ha muerto",
        "mañana es el funeral",
        "lo enterramos en el jardín",
    ),
    "fr": (
        "mon hamster il est mort ce matin",
        "ma mamie est décédée",
        "on a dû faire piquer mon chien",
        "j'ai perdu mon papi",
        "jte dis qu'il est mort",
        "jvais l'enterrer ce soir",
    ),
}
NOT_TOLD: dict[Language, tuple[str, ...]] = {
    "en": (
        "im dead",
        "i literally died when he said hi",
        "my laptop just died",
        "SOUL MASTER IS DEAD",
        "my lips are DEAD",
        "bored to death",
        "my brother died 6 times on that boss",
        "my friend died laughing",
        "my brother passed his driving test",
        "my mum is gonna kill me im dead",
        "buried in homework",
    ),
    "pt-BR": (
        "EU VOU MORRER",
        "morri kkk",
        "meu celular morreu",
        "minha mãe vai me matar",
        "meu irmão morreu de novo nessa fase",
        "morrendo de vergonha",
    ),
    "es": (
        "me muero de vergüenza",
        "casi me muero, mi mamá me vio",
        "mi hermano se murió de risa",
        "el jefe final murió otra vez",
        "perdí a propósito",
    ),
    "fr": (
        "il m'a souri et depuis jsuis morte",
        "jsuis mort de fatigue",
        "yanis il est mort bêtement encore",
        "ma mère elle va me tuer chuis morte",
        "le cahier il est mort, les pages collent",
        "un 8 c'est pas la mort",
    ),
}


@pytest.mark.parametrize(("language", "text"), [(language, text) for language in TOLD for text in TOLD[language]])
def test_a_death_of_somebody_dear_is_heard(language: Language, text: str) -> None:
    assert mourns(text, language)


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language in NOT_TOLD for text in NOT_TOLD[language]]
)
def test_a_manner_of_speaking_is_no_death(language: Language, text: str) -> None:
    assert not mourns(text, language)
