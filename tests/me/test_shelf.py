"""The shelf: what was made together, the words, the faces of the days; its owner's alone, and gone in one tap."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from chatbot.accounts import services as people
from chatbot.accounts.erasure import age_doubted
from chatbot.accounts.models import TimeLimits, User
from chatbot.chat.playing import skills
from chatbot.core import clock, keys
from chatbot.core.choices import choice_set
from chatbot.core.ids import new_id
from companion.memory import services as memory
from companion.play import services as play
from companion.profile.services import companion_for, companion_shape
from companion.skills.api import Heard, Made, Playing
from tests.me.copies import copy_of, fetched

SignIn = Callable[..., Client]
HOSTILE = '</h3><script>document.title="owned"</script><img src=x onerror="document.title=1">'
LANGUAGES = {"en": "en", "pt-br": "pt-BR", "es": "es", "fr": "fr"}
STORY = "The parcel hums in G.\n\nIt wants a name.\n\n- open it\n\nInside is a smaller parcel.\n\nThe end of the tape"


def made(person: User, *, title: str = "The parcel", text: str = STORY, kind: str = "story") -> uuid.UUID:
    """Put something on their shelf; its id."""
    play.shelf_add(owner_id=person.id, turn_id=new_id(), made=Made(kind, title, text))
    return play.shelf_of(person.id)[-1].id


def kept(person: User, **by_skill: object) -> None:
    """Let skills keep something of theirs, as after a turn."""
    rows = [Playing(name, kept=dict(given)) for name, given in by_skill.items()]  # type: ignore[call-overload]
    play.play_keep(
        owner_id=person.id, conversation_id=new_id(), turn_id=new_id(), rows=rows, made=None, now=clock.now(),
        remembers=True,
    )  # fmt: skip


def taught(person: User, **words: str) -> None:
    kept(person, teach_word={"words": [{"word": word, "meaning": words[word], "used": "2026-11-20"} for word in words]})


def checked_in(person: User, *moods: str) -> None:
    today = clock.now().date()
    days = [{"day": (today - timedelta(days=3 * at)).isoformat(), "mood": mood} for at, mood in enumerate(moods)]
    kept(person, mood_checkin={"days": days[::-1]})


def page_of(client: Client, path: str = "/me/shelf/") -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def words_in(person: User) -> list[str]:
    return [row["word"] for row in play.kept_of(person.id).get("teach_word", {}).get("words", [])]


# --- what stands there ------------------------------------------------------------------------------------------------


def test_a_story_stands_there_in_paragraphs_and_what_was_chosen_apart(signed_in: SignIn, maya: User) -> None:
    made(maya)
    page = page_of(signed_in(maya))
    assert "<p>The parcel hums in G.</p>" in page
    assert re.search(r'<p class="chose"><span class="sr">You chose:</span> open it</p>', page)
    assert "- open it" not in page


def test_the_newest_story_comes_first(signed_in: SignIn, maya: User) -> None:
    made(maya, title="The older one")
    made(maya, title="The newer one")
    page = page_of(signed_in(maya))
    assert page.index("The newer one") < page.index("The older one")


def test_words_stand_in_order_with_what_they_mean(signed_in: SignIn, maya: User) -> None:
    taught(maya, zorp="a nap in a bus", Éclat="a very small win", flurbish="a bag that is heavier than you")
    page = page_of(signed_in(maya))
    assert page.index("Éclat") < page.index("flurbish") < page.index("zorp")
    assert "a bag that is heavier than you" in page


def test_check_ins_are_faces_with_their_days_and_nothing_counts_them(signed_in: SignIn, maya: User) -> None:
    checked_in(maya, "great", "sad")
    page = page_of(signed_in(maya))
    row = page.split('<ol class="moods">')[1].split("</ol>")[0]
    assert row.count("<li>") == 2
    assert "🤩" in row
    assert row.index("😢") < row.index("🤩"), "the newest stands last"
    assert f'datetime="{clock.now().date().isoformat()}"' in row
    for word in ("streak", "missed", "in a row", "average", "%"):
        assert word not in page.split('id="moods"')[1].split("</section>")[0], word


def test_a_mood_or_a_day_that_nobody_knows_any_more_breaks_nothing(signed_in: SignIn, maya: User) -> None:
    kept(maya, mood_checkin={"days": [{"day": "", "mood": "good"}, {"day": "2026-11-20", "mood": "mauve"}]})
    row = page_of(signed_in(maya)).split('<ol class="moods">')[1].split("</ol>")[0]
    assert row.count("<li>") == 1
    assert "<time" not in row


@pytest.mark.parametrize("page", ["its own", "en", "fr"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_bare_shelf_says_what_to_say_and_that_wakes_the_skill_whatever_the_page_speaks(
    signed_in: SignIn, maya: User, language: str, page: str
) -> None:
    maya.language = LANGUAGES[language]
    maya.save()
    client = signed_in(maya)
    client.cookies["django_language"] = language if page == "its own" else page
    said = re.findall("[“«](?:&nbsp;|\\s)?(.+?)(?:&nbsp;|\\s)?[”»]", unescape(page_of(client)))
    spoken = LANGUAGES[language]
    woken = [
        skills().claim(Heard(text, spoken, "13-15", seed=1), None, off=frozenset())  # type: ignore[arg-type]
        for text in said
    ]
    assert [claim and claim.skill for claim in woken] == ["story", "teach_word", "mood_checkin"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_way_is_a_tap_that_puts_its_words_into_the_box(signed_in: SignIn, maya: User, language: str) -> None:
    people.deal_confirm(maya)
    companion_shape(owner_id=maya.id, name="Pixel", colour="leaf", playful=50, curious=50, gentle=50)
    maya.language = LANGUAGES[language]
    maya.save()
    client = signed_in(maya)
    taps = re.findall(r'<a class="chip" href="(/chat/\?play=\w+)" lang="([\w-]+)">(.+?)</a>', page_of(client))
    assert [address.partition("=")[2] for address, *_ in taps] == ["story", "teach_word", "mood_checkin"]
    for address, spoken, words in taps:
        assert spoken == LANGUAGES[language]
        assert client.get(address).context["boot"]["play"] == unescape(words)


@pytest.mark.parametrize("asked", ["", "nothing", "i want to die", "riddles%00", "x" * 5000])
def test_an_address_puts_nothing_else_into_the_box(signed_in: SignIn, maya: User, asked: str) -> None:
    people.deal_confirm(maya)
    companion_shape(owner_id=maya.id, name="Pixel", colour="leaf", playful=50, curious=50, gentle=50)
    assert signed_in(maya).get("/chat/", {"play": asked}).context["boot"]["play"] == ""


def test_what_is_switched_off_is_not_put_into_the_box(signed_in: SignIn, maya: User) -> None:
    people.deal_confirm(maya)
    companion_shape(owner_id=maya.id, name="Pixel", colour="leaf", playful=50, curious=50, gentle=50)
    TimeLimits.objects.create(person=maya, skills_off=["story"])
    assert signed_in(maya).get("/chat/?play=story").context["boot"]["play"] == ""


def test_a_bare_shelf_offers_nothing_that_is_switched_off(signed_in: SignIn, maya: User, settings: Settings) -> None:
    TimeLimits.objects.create(person=maya, skills_off=["story"])
    client = signed_in(maya)
    page = page_of(client)
    assert "play it to its end" not in page
    assert "a dictionary of your own" in page
    settings.SKILLS_OFF = frozenset({"teach_word", "mood_checkin"})
    assert "switched off" in page_of(client)


def test_where_memory_is_off_the_page_says_so_and_what_is_there_can_be_taken_off(signed_in: SignIn, maya: User) -> None:
    keepsake = made(maya)
    people.memory_pause(maya, paused=True)
    client = signed_in(maya)
    assert "paused, by you" in page_of(client)
    assert client.post(f"/me/shelf/{keepsake}/remove/").status_code == 302
    page = page_of(client)
    assert "bare so far" in page
    assert "play it to its end" not in page, "nothing new would come here"


def test_in_plain_mode_and_in_a_closed_account_the_page_opens(signed_in: SignIn, maya: User, leo: User) -> None:
    choice_set("regions", {"*": "plain_mode"})
    assert "Where you live" in page_of(signed_in(leo))
    age_doubted(maya.id)
    assert "frozen" in page_of(signed_in(maya))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_open_in_every_language(signed_in: SignIn, maya: User, language: str) -> None:
    made(maya)
    taught(maya, flurbish="a bag that is heavier than you")
    checked_in(maya, "good")
    client = signed_in(maya)
    client.cookies["django_language"] = language
    with translation.override(language):
        heading = translation.gettext("Your shelf")
    assert heading in unescape(page_of(client))
    assert f'<html lang="{language}"' in page_of(client, "/me/shelf/zine.html")


# --- gone in one tap --------------------------------------------------------------------------------------------------


def test_one_thing_is_taken_off_and_a_sentence_says_so(signed_in: SignIn, maya: User) -> None:
    keepsake = made(maya)
    made(maya, title="The other one")
    response = signed_in(maya).post(f"/me/shelf/{keepsake}/remove/", follow=True)
    assert "“The parcel” is off the shelf." in response.content.decode()
    assert [one.title for one in play.shelf_of(maya.id)] == ["The other one"]


def test_a_word_is_taken_out_and_the_companion_doesn_t_know_it_any_more(signed_in: SignIn, maya: User) -> None:
    taught(maya, flurbish="a bag that is heavier than you", zorp="a nap in a bus")
    made(maya, kind="word", title="flurbish", text="a bag that is heavier than you")
    response = signed_in(maya).post("/me/shelf/words/remove/", {"word": "flurbish"}, follow=True)
    assert "“flurbish” is out of the dictionary." in response.content.decode()
    assert words_in(maya) == ["zorp"]
    assert "flurbish" not in json.dumps([play.left_of(maya.id), [one.title for one in play.shelf_of(maya.id)]])


def test_a_word_that_is_being_taught_goes_out_of_the_open_game_too(signed_in: SignIn, maya: User) -> None:
    taught(maya, zorp="a nap in a bus")
    row = Playing("teach_word", {"word": "flurbish", "example": True}, {"words": _words("flurbish")}, active=True)
    turn_id, conversation_id = new_id(), new_id()
    play.play_keep(
        owner_id=maya.id, conversation_id=conversation_id, turn_id=turn_id, rows=[row], made=None, now=clock.now(),
        remembers=True,
    )  # fmt: skip
    signed_in(maya).post("/me/shelf/words/remove/", {"word": "flurbish"})
    for turn in (turn_id, new_id()):  # the turn that taught it, should it be answered again, and the next one
        found = play.play_read(
            owner_id=maya.id, conversation_id=conversation_id, turn_id=turn, now=clock.now(), remembers=True
        )
        assert "flurbish" not in str(found)


def _words(word: str) -> list[dict[str, str]]:
    return [{"word": word, "meaning": "a bag", "used": "2026-11-20"}]


def test_the_check_ins_are_forgotten_and_nothing_else_is(signed_in: SignIn, maya: User) -> None:
    taught(maya, flurbish="a bag")
    checked_in(maya, "good", "flat")
    response = signed_in(maya).post("/me/shelf/moods/forget/", follow=True)
    assert "The check-ins are forgotten." in response.content.decode()
    assert "mood_checkin" not in play.left_of(maya.id), "not even that there were some"
    assert words_in(maya) == ["flurbish"]


def test_forget_everything_takes_words_and_check_ins_and_leaves_the_stories(signed_in: SignIn, maya: User) -> None:
    taught(maya, flurbish="a bag")
    checked_in(maya, "good")
    made(maya)
    made(maya, kind="word", title="flurbish", text="a bag")
    client = signed_in(maya)
    assert "/me/memory/forget-all/" in page_of(client, "/me/memory/"), "though nothing is remembered"
    asked = page_of(client, "/me/memory/forget-all/")
    assert "are forgotten as well" in asked
    assert "stay until you take them off" in asked
    said = client.post("/me/memory/forget-all/", follow=True).content.decode()
    assert "Forgotten." in said
    assert play.left_of(maya.id) == {}
    assert [one.kind for one in play.shelf_of(maya.id)] == ["story"]


# --- who may ----------------------------------------------------------------------------------------------------------


def test_nobody_else_s_words_ever_show_and_nobody_else_takes_them(
    request: pytest.FixtureRequest, signed_in: SignIn, maya: User, stranger: User
) -> None:
    keepsake = made(maya, title="xylograph", text="xylograph rehearsal")
    taught(maya, xylograph="a word of hers")
    checked_in(maya, "good")
    posts = {
        f"/me/shelf/{keepsake}/remove/": {}, "/me/shelf/words/remove/": {"word": "xylograph"},
        "/me/shelf/moods/forget/": {},
    }  # fmt: skip
    client = signed_in(stranger)
    for path in ("/me/shelf/", "/me/shelf/zine.html"):
        assert "xylograph" not in page_of(client, path)
    assert [client.post(path, given).status_code for path, given in posts.items()] == [404, 404, 302]
    assert client.post(f"/me/shelf/{uuid.uuid4()}/remove/").status_code == 404
    for who in ("ana", "rui", "olga"):
        grown = signed_in(request.getfixturevalue(who))
        for path in ("/me/shelf/", "/me/shelf/zine.html"):
            response = grown.get(path)
            assert response.status_code == 403
            assert b"xylograph" not in response.content
        assert {grown.post(path, given).status_code for path, given in posts.items()} == {403}
        assert "/me/shelf/" not in grown.get("/me/").content.decode()
    assert [one.title for one in play.shelf_of(maya.id)] == ["xylograph"]
    assert words_in(maya) == ["xylograph"]
    assert "mood_checkin" in play.kept_of(maya.id)


def test_signed_out_there_is_no_shelf(client: Client, maya: User) -> None:
    keepsake = made(maya)
    for path in ("/me/shelf/", "/me/shelf/zine.html"):
        assert client.get(path).headers["Location"].startswith("/account/login/")
    assert client.post(f"/me/shelf/{keepsake}/remove/").status_code == 302
    assert play.shelf_of(maya.id)


def test_looking_takes_nothing_away(signed_in: SignIn, maya: User) -> None:
    keepsake = made(maya)
    taught(maya, flurbish="a bag")
    client = signed_in(maya)
    for path in (f"/me/shelf/{keepsake}/remove/", "/me/shelf/words/remove/?word=flurbish", "/me/shelf/moods/forget/"):
        assert client.get(path).status_code == 405
    for path in ("/me/shelf/", "/me/shelf/zine.html"):
        assert client.post(path).status_code == 405
    assert play.shelf_of(maya.id)
    assert words_in(maya)


# --- hostile ----------------------------------------------------------------------------------------------------------


def test_hostile_titles_words_and_lines_are_only_words(signed_in: SignIn, maya: User) -> None:
    keepsake = made(maya, title=HOSTILE, text=f"{HOSTILE}\n\n- {HOSTILE}")
    taught(maya, **{HOSTILE: HOSTILE})
    client = signed_in(maya)
    for path in ("/me/shelf/", "/me/shelf/zine.html"):
        page = page_of(client, path)
        assert "<img" not in page
        assert "document.title=&quot;owned&quot;" in page
        assert '<script>document.title="owned"' not in page
    said = client.post(f"/me/shelf/{keepsake}/remove/", follow=True).content.decode()
    assert "<img" not in said
    assert client.post("/me/shelf/words/remove/", {"word": HOSTILE}).status_code == 302
    assert words_in(maya) == []


@pytest.mark.parametrize("word", ["", "  ", "flurbish ", "FLURBISH", "flurbish\x00", "x" * 20_000])
def test_a_word_that_isn_t_there_is_a_plain_no(signed_in: SignIn, maya: User, word: str) -> None:
    taught(maya, flurbish="a bag")
    assert signed_in(maya).post("/me/shelf/words/remove/", {"word": word}).status_code == 404
    assert words_in(maya) == ["flurbish"]


@pytest.mark.parametrize("text", ["a" * 20_000, "- " * 10_000, "\n" * 20_000, "- chosen\n" * 2_000])
def test_the_longest_story_opens_whole(signed_in: SignIn, maya: User, text: str) -> None:
    made(maya, text=text)
    client = signed_in(maya)
    page, zine = page_of(client), page_of(client, "/me/shelf/zine.html")
    assert "The parcel" in page
    if text.startswith("a"):
        assert text in page
        assert text in zine
    if "chosen" in text:
        assert page.count('class="chose"') == zine.count('class="chose"') == 2_000


def test_what_is_kept_is_sealed_with_the_person_s_own_key(maya: User) -> None:
    made(maya)
    keys.key_destroy(maya.id)
    with pytest.raises(keys.KeyMissing):
        play.shelf_of(maya.id)


# --- the zine, and the copy -------------------------------------------------------------------------------------------


def test_the_zine_has_its_cover_then_stories_then_words_and_no_check_in(signed_in: SignIn, maya: User) -> None:
    made(maya, title="The older one")
    made(maya, title="The newer one")
    taught(maya, flurbish="a bag that is heavier than you")
    checked_in(maya, "sad")
    response = signed_in(maya).get("/me/shelf/zine.html")
    page = response.content.decode()
    name = companion_for(maya.id).name
    places = [page.index(text) for text in (f"<h1>{name}", "The older one", "The newer one", "<dt>flurbish</dt>")]
    assert places == sorted(places)
    assert "😢" not in page
    assert maya.username not in page, "who made it stands on it only if they write it there"
    assert response.headers["Content-Disposition"] == 'attachment; filename="zine.html"'


def test_the_zine_has_no_script_and_needs_nothing_from_elsewhere(signed_in: SignIn, maya: User) -> None:
    made(maya)
    response = signed_in(maya).get("/me/shelf/zine.html")
    page = response.content.decode()
    assert not re.search(r"<(script|img|link|iframe|object|form|base)\b|\bon\w+=|url\(|@import|\b(href|src)=", page)
    assert "http://" not in page
    assert "https://" not in page
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "no-store" in response.headers["Cache-Control"]


def test_a_zine_of_nothing_is_a_cover_and_blank_pages(signed_in: SignIn, maya: User) -> None:
    client = signed_in(maya)
    assert "/me/shelf/zine.html" not in page_of(client)
    assert "Blank pages, for now." in page_of(client, "/me/shelf/zine.html")


def test_the_copy_of_everything_has_the_shelf_and_what_skills_kept(signed_in: SignIn, maya: User) -> None:
    made(maya)
    taught(maya, flurbish="a bag that is heavier than you")
    checked_in(maya, "sad")
    kept(maya, somebody_s_own={"rank": 3, "pairs": [["a", "b"]], "none": None})
    client = signed_in(maya)
    found = json.loads(copy_of(client))
    assert [(one["kind"], one["title"], one["text"]) for one in found["shelf"]] == [("story", "The parcel", STORY)]
    assert found["skills"]["teach_word"]["kept"]["words"][0]["word"] == "flurbish"
    assert found["skills"]["mood_checkin"]["kept"]["days"][0]["mood"] == "sad"
    assert found["skills"]["somebody_s_own"]["kept"]["rank"] == 3
    page = fetched(client, "html")
    for said in ("The parcel hums in G.", 'class="chose">open it', "flurbish · a bag", "😢 sad", "rank: 3", "a · b"):
        assert said in page, said


def test_a_game_that_was_left_in_the_middle_is_in_the_copy(signed_in: SignIn, maya: User) -> None:
    row = Playing("story", {"scene": "fog", "slots": {"hero": "Pip"}, "path": [{"said": "Fog comes."}]})
    play.play_keep(
        owner_id=maya.id, conversation_id=new_id(), turn_id=new_id(), rows=[row], made=None, now=clock.now(),
        remembers=True,
    )  # fmt: skip
    client = signed_in(maya)
    assert json.loads(copy_of(client))["skills"]["story"]["stands"]["slots"] == {"hero": "Pip"}
    assert "Fog comes." in fetched(client, "html")


def test_who_made_nothing_has_a_copy_with_an_empty_shelf(signed_in: SignIn, maya: User) -> None:
    choice_set("regions", {"*": "plain_mode"})
    client = signed_in(maya)
    found = json.loads(copy_of(client))
    assert (found["shelf"], found["skills"]) == ([], {})
    assert "Your shelf" in fetched(client, "html")


def test_me_leads_to_the_shelf(signed_in: SignIn, maya: User) -> None:
    memory.memory_learn(owner_id=maya.id, text="i love hockey", language="en", said_at=clock.now(), source=None)
    page = page_of(signed_in(maya), "/me/")
    assert page.index('href="/me/memory/"') < page.index('href="/me/shelf/"') < page.index('href="/chat/earlier/"')
