from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from companion.memory.features import NAMES
from companion.memory.reranker import Reranker, reranker
from training.recall import talks, train


@pytest.mark.parametrize(("language", "least"), [("en", 400), ("fr", 60)])
def test_questions_are_many_each_with_its_evidence_and_never_twice(language: str, least: int) -> None:
    asked = talks.questions(language=language)
    assert len(asked) >= least
    assert len({(one.talk, one.text) for one in asked}) == len(asked)
    for one in asked:
        assert one.text.endswith("?")
        assert one.evidence
        for place in one.evidence:
            talk, session, turn = place.split(".")
            assert talk == one.talk
            assert int(session) >= 1
            assert int(turn) >= 0


def test_without_the_data_it_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(talks.DataMissing, match=r"\.\./shared/data"):
        talks.talks(tmp_path)


@pytest.mark.skipif(not talks.DATA.is_dir(), reason="the data sets of ../shared are not here")
def test_every_evidence_is_a_turn_of_its_talk() -> None:
    for language in ("en", "fr"):
        ids = {turn.id for turns in talks.talks(language=language).values() for turn in turns}
        assert all(one.evidence <= ids for one in talks.questions(language=language))


def test_the_net_that_ships_is_the_mean_of_several() -> None:
    torch.manual_seed(1)
    nets = [
        torch.nn.Sequential(torch.nn.Linear(len(NAMES), 4), torch.nn.ReLU(), torch.nn.Linear(4, 1, bias=False))
        for _ in "ab"
    ]
    seen = np.random.default_rng(1).standard_normal((5, len(NAMES))).astype(np.float32)
    with torch.no_grad():
        mean = sum(net(torch.from_numpy(seen))[:, 0].numpy() for net in nets) / 2
    assert Reranker(train.joined(nets)).score(seen) == pytest.approx(mean, abs=1e-2)


def test_it_learns_what_tells_right_from_wrong() -> None:
    rng = np.random.default_rng(2)
    given = []
    for _ in range(60):
        seen = rng.standard_normal((10, len(NAMES))).astype(np.float32)
        given.append(train.Example("1", seen, np.arange(10) == seen[:, 3].argmax(), 1, True))
    net = Reranker(train.joined([train.trained(given, seed=0)]))
    assert np.mean([one.recall(net.score(one.seen), 1) for one in given]) > 0.9


def test_what_ships_is_the_pinned_file_and_made_for_these_features() -> None:
    assert reranker().score(np.zeros((2, len(NAMES)), np.float32)).shape == (2,)
