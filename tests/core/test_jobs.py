from __future__ import annotations

import pytest
from django.db import transaction

from chatbot.core import jobs

ran: list[str] = []


@jobs.job("tests.note")
def _note(name: str) -> None:
    if name == "broken":
        raise ValueError("private words")
    ran.append(name)


@pytest.fixture(autouse=True)
def _empty() -> None:
    ran.clear()


@pytest.mark.django_db(transaction=True)
def test_a_job_runs_after_the_commit_only() -> None:
    with transaction.atomic():
        jobs.enqueue_after_commit("tests.note", "one")
        assert jobs.drain() == 0
    assert jobs.drain() == 1
    assert ran == ["one"]


@pytest.mark.django_db(transaction=True)
def test_a_job_of_a_transaction_that_failed_never_runs() -> None:
    def half_done() -> None:
        with transaction.atomic():
            jobs.enqueue_after_commit("tests.note", "one")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    assert jobs.drain() == 0


@pytest.mark.django_db(transaction=True)
def test_a_broken_job_is_logged_without_its_words_and_the_next_one_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert not jobs.run_job("tests.note", "broken")
    assert jobs.run_job("tests.note", "two")
    assert "private words" not in capsys.readouterr().out
    assert ran == ["two"]


@pytest.mark.django_db(transaction=True)
def test_the_worker_finishes_what_is_queued_before_it_ends() -> None:
    jobs.start()
    with transaction.atomic():
        for number in range(5):
            jobs.enqueue_after_commit("tests.note", str(number))
    jobs.stop()
    assert ran == ["0", "1", "2", "3", "4"]
