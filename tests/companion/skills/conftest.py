from __future__ import annotations

import pytest

from companion.skills.catalogue import Skills


@pytest.fixture(scope="session")
def skills() -> Skills:
    """What stands in the house, without files of an operator's and without packages."""
    return Skills(packages=False)
