"""What several tests of the safety layer begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache


@pytest.fixture
def no_limits_left() -> Iterator[None]:
    """Nobody has been counted yet, and nobody is afterwards."""
    cache.clear()
    yield
    cache.clear()
