"""The mean of weights over steps, which generalises better than the last of them (Polyak and Juditsky 1992)."""

from __future__ import annotations

from typing import Any

from torch.optim.swa_utils import get_ema_multi_avg_fn


def averaged(decay: float) -> Any:
    """For torch's AveragedModel. Moves fast at first, so that what training began with is soon forgotten."""

    def average(kept: Any, now: Any, count: Any) -> None:
        get_ema_multi_avg_fn(min(decay, (1 + int(count)) / (10 + int(count))))(kept, now, count)

    return average
