"""The slope of a score is that of the logits it was fitted on, wherever they lie."""

from __future__ import annotations

import numpy as np
import pytest

from training.moderation.thresholds import _slope


@pytest.mark.parametrize("true", [0.3, 0.45, 1.0, 2.5])
@pytest.mark.parametrize("middle", [-12.0, 0.0, 9.0])
def test_the_slope_is_found_from_afar(true: float, middle: float) -> None:
    rng = np.random.default_rng(7)
    logits = rng.normal(middle, 6, 20_000).astype(np.float32)
    positive = rng.random(len(logits)) < 1 / (1 + np.exp(-true * (logits - middle - 2)))
    assert _slope(logits, positive) == pytest.approx(true, rel=0.1)


def test_what_can_be_told_apart_wholly_has_the_steepest_slope() -> None:
    logits = np.linspace(-5, 5, 200, dtype=np.float32)
    assert _slope(logits, logits > 0) == 3.0
