"""The mean of two trainings' weights: `python -m training.moderation.mean A.safetensors B.safetensors OUT`.

Runs that began from the same weights end near each other, and between them it is often better than at either (Wortsman
et al. 2022, arXiv:2203.05482). Whether it is here: `train --epochs 0 --start OUT.safetensors`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from training.moderation.quantise import quantised, wide


def main(arguments: Sequence[str] | None = None) -> None:
    from safetensors.numpy import load_file, save_file

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of the first")
    given = parser.parse_args(arguments)
    first, second = (wide(load_file(path)) for path in (given.first, given.second))
    mean = {name: given.share * value + (1 - given.share) * second[name] for name, value in first.items()}
    save_file(quantised(mean), given.out.with_suffix(".safetensors"))


if __name__ == "__main__":
    main()
