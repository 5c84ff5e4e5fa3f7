"""What a moderator reads first: what it is about, whom they can call, and the way on."""

from __future__ import annotations

import pytest

from chatbot.accounts.models import User
from chatbot.core.choices import choice_set
from tests.moderation.review_panel import WHY, at, filed, held, panel, text


def test_the_title_says_what_it_is_about_and_not_that_it_is_a_message(maya: User, leo: User, rui: User) -> None:
    grave, report = filed(maya), filed(leo, kind="report")
    client = panel(rui)
    assert '<span class="go-title">Suicide or self-harm</span>' in text(client.get("/review/"))
    page = text(client.get(at(grave)))
    assert "<h1>Suicide or self-harm</h1>" in page
    assert "<dd>A message of theirs</dd>" in page
    assert "<dd>They reported a reply</dd>" in text(client.get(at(report)))


@pytest.mark.parametrize(
    ("named", "said"), [("Ms Silva, +1 555 0100", "Ms Silva, +1 555 0100"), ("", "Nobody is named"), (None, "Nobody")]
)
def test_beside_what_is_grave_stands_who_is_on_duty(named: str | None, said: str, maya: User, rui: User) -> None:
    if named is not None:
        choice_set("duty_contact", named)
    grave, mild = filed(maya), filed(maya, severity=2, level=None)
    client = panel(rui)
    assert f"<dt>On duty</dt><dd>{said}" in text(client.get(at(grave)))
    assert "On duty" not in text(client.get(at(mild)))


def test_after_a_decision_the_queue_is_one_tap_away(maya: User, rui: User) -> None:
    client = panel(rui)
    one = held(client, filed(maya))
    assert "Back to the queue" not in text(client.get(at(one)))
    client.post(at(one, "decide/"), {"outcome": "talked_to", "reason": WHY})
    page = text(client.get(at(one)))
    assert "Back to the queue" in page
    assert "On duty" not in page


def test_only_the_first_page_of_what_is_open_looks_for_news(maya: User, rui: User) -> None:
    one, client = filed(maya), panel(rui)
    page = text(client.get("/review/"))
    assert 'data-severity="4" data-more="0"' in page
    for path, looks in (("/review/", True), ("/review/?show=decided", False), (f"/review/?of={one.id}", False)):
        assert ("js/queue.js" in text(client.get(path))) == looks, path
