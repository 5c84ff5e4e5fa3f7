from __future__ import annotations

import pytest

from companion.skills.catalogue import Skills
from tests.companion.skills.talking import CAVE, PEBBLES, changed, with_files


@pytest.fixture(scope="session")
def skills() -> Skills:
    """What stands in the house, without files of an operator's and without packages."""
    return Skills(packages=False)


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> Skills:
    """With two of an operator's own: pebbles, which are not for plain mode, and a cave."""
    return with_files(tmp_path_factory.mktemp("skills"), changed(PEBBLES, plain="false"), CAVE)
