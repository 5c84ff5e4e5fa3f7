"""The mean of two trainings, and what the readings' agreement prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from chatbot.core.encoder.eight import widened
from training.moderation.agreement import report
from training.moderation.mean import main
from training.moderation.quantise import quantised


def test_the_mean_lies_between_the_two_by_its_share(tmp_path: Path) -> None:
    lot = np.random.default_rng(1)
    both = [{"layers.0.x": lot.normal(size=(4, 8)).astype(np.float32), "out": np.float32([1, 2])} for _ in range(2)]
    for name, weights in zip(("a", "b"), both, strict=True):
        save_file(quantised(weights), tmp_path / f"{name}.safetensors")
    main([*(str(tmp_path / f"{name}.safetensors") for name in ("a", "b")), str(tmp_path / "mean"), "--share", "0.75"])
    found = widened(load_file(tmp_path / "mean.safetensors"))
    assert np.allclose(found["out"], [1, 2])
    assert np.abs(found["layers.0.x"] - (0.75 * both[0]["layers.0.x"] + 0.25 * both[1]["layers.0.x"])).max() < 0.05


def test_most_rows_are_read_twice_and_the_readings_agree() -> None:
    rows, agreed, grave = report()
    assert int(rows.split()[0]) > 120_000
    assert float(agreed.partition("kappa ")[2]) > 0.9
    assert "L3 and over" in grave
