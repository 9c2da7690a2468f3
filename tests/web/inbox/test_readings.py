"""The sheet in which people correct what was read, and what a conversation says of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from rapport.actions.listening import save_topic
from rapport.store.models import Conversation, Correction, Outcome, Post
from rapport.web.reading_words import LETTERS, NAMES

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}


def sheet(row: Any, post: Any = None) -> str:
    post = post or Post.objects.filter(conversation_id=row.pk).latest("pk")
    return f"/w/fernway/c/{row.pk}/readings/{post.pk}/"


def pressed(html: str) -> set[str]:
    """What the buttons that are on would say."""
    found = re.findall(r'<button class="toggle" name="set" value="([^"]+)"[^>]*aria-pressed="true"', html)
    return {says.replace("=false", "") for says in found}


def test_the_sheet_shows_every_reading_with_its_key(cast: Any, enter: Any, complaint: Any) -> None:
    html = enter(cast.amir).get(sheet(complaint), headers=HX).content.decode()
    for key in LETTERS.values():
        assert f'data-letter="{key}"' in html
    assert {"sentiment=negative", "intent.complaint"} <= pressed(html)
    assert "By these words" in html
    assert "<q>" in html


def test_no_key_of_the_sheet_stands_for_two_things() -> None:
    assert len(set(LETTERS.values())) == len(LETTERS)
    assert not set(LETTERS.values()) & set("zwk")
    named = {says.partition("=")[0] for says in LETTERS}
    assert named | {"language"} == set(NAMES)


def test_a_press_corrects_and_the_conversation_says_who_and_what_it_was(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    answer = client.post(f"{sheet(complaint)}correct", {"set": "sentiment=positive"}, headers=HX)
    assert "sentiment=positive" in pressed(answer.content.decode())
    assert "Mood: positive" in json.loads(answer.headers["HX-Trigger"])["desk-changed"]["say"]
    page = client.get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    assert "Mood: positive, corrected by Amir, was negative" in page
    back = client.post(
        f"{sheet(complaint)}withdraw", {"correction": Correction.objects.get().pk}, headers=HX
    ).content.decode()
    assert "sentiment=negative" in pressed(back)
    assert "corrected by" not in client.get(f"/w/fernway/c/{complaint.pk}/").content.decode()


def test_a_toggle_says_the_opposite_of_what_holds(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    for says, holds in (("intent.complaint=false", False), ("intent.complaint=true", True)):
        assert f'value="{says}"' in client.get(sheet(complaint), headers=HX).content.decode()
        html = client.post(f"{sheet(complaint)}correct", {"set": says}, headers=HX).content.decode()
        assert ("intent.complaint" in pressed(html)) is holds


def test_a_language_is_chosen_from_a_list(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    client.post(f"{sheet(complaint)}correct", {"set": "language", "language": "pt"}, headers=HX)
    assert Outcome.objects.get().language == "pt"
    assert '<option value="pt" selected>Portuguese</option>' in client.get(sheet(complaint)).content.decode()


def test_nonsense_is_answered_with_a_sentence_and_changes_nothing(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    for values in ({"set": "mood=x"}, {"set": "sentiment=angry"}, {}, {"set": "language", "language": "<b>"}):
        answer = client.post(f"{sheet(complaint)}correct", values, headers=HX)
        assert answer.status_code == 204
        assert json.loads(answer.headers["HX-Trigger"])["desk-problem"]["say"]
    assert not Correction.objects.exists()


def test_it_works_without_a_script(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    assert "<html" in client.get(sheet(complaint)).content.decode()
    answer = client.post(f"{sheet(complaint)}correct", {"set": "spam=true"})
    assert (answer.status_code, answer.headers["Location"]) == (303, sheet(complaint))
    assert "Spam: yes" in client.get(sheet(complaint)).content.decode()


def test_who_may_not_answer_looks_and_cannot_press(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.vera)
    html = client.get(sheet(complaint), headers=HX).content.decode()
    assert html.count("disabled") == html.count('class="toggle"') + 1
    assert client.post(f"{sheet(complaint)}correct", {"set": "spam=true"}).status_code == 403


def test_a_post_of_another_conversation_or_of_ours_is_not_there(
    cast: Any, enter: Any, complaint: Any, hear: Any, make_post: Any
) -> None:
    hear(make_post("The depot opens at nine", author="omar"))
    other = Post.objects.latest("pk")
    client = enter(cast.alice)
    assert client.get(sheet(complaint, other)).status_code == 404
    Post.objects.filter(conversation_id=complaint.pk).update(ours=True)
    assert client.get(sheet(complaint)).status_code == 404


def test_words_carry_marks_and_the_readings_that_they_carried_are_listed(cast: Any, enter: Any, complaint: Any) -> None:
    html = enter(cast.amir).get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    marked = re.findall(r'<mark class="\w+" data-why="([^"]+)"', html)
    listed = re.findall(r'data-carried="([^"]+)"', html)
    assert {name for why in marked for name in why.split()} == set(listed)
    assert "complaint" in listed


def test_a_colleague_s_word_is_not_taken_back_by_those_who_cannot_configure(
    cast: Any, enter: Any, complaint: Any
) -> None:
    enter(cast.amir).post(f"{sheet(complaint)}correct", {"set": "spam=true"}, headers=HX)
    made = {"correction": Correction.objects.get().pk}
    assert "data-undo" not in enter(cast.rita).get(sheet(complaint), headers=HX).content.decode()
    assert enter(cast.rita).post(f"{sheet(complaint)}withdraw", made).status_code == 404
    assert enter(cast.lea).post(f"{sheet(complaint)}withdraw", made, headers=HX).status_code == 200


TWO = "I love Fernway, so friendly and quick. Rainmail is a complete disaster, they lost my parcel and lied to me."


def test_a_post_that_praises_one_and_damns_another_says_whom(
    cast: Any, enter: Any, hear: Any, make_post: Any, now: Any, channel: Any
) -> None:
    save_topic(cast.lea, "fernway", "Fernway", "fernway OR @fernway", active=True, now=now)
    save_topic(cast.lea, "rainmail", "Rainmail", "rainmail", active=True, now=now)
    hear(make_post(TWO, author="nadia"))
    row = Conversation.objects.of(cast.workspace).get()
    client = enter(cast.lea)
    page = client.get(f"/w/fernway/c/{row.pk}/").content.decode()
    assert '<span class="chip praise">positive toward Fernway</span>' in page
    assert '<span class="chip care">negative toward Rainmail</span>' in page
    marks = dict(re.findall(r'<mark class="(\w+)" data-why="[^"]*(positive|negative)', page))
    assert marks == {"praise": "positive", "care": "negative"}
    html = client.get(sheet(row), headers=HX).content.decode()
    assert "sentiment=positive" in pressed(html)
    assert "Read as positive toward Fernway, negative toward Rainmail; the whole text reads as negative." in html
    client.post(f"{sheet(row)}correct", {"set": "sentiment=negative"}, headers=HX)
    page = client.get(f"/w/fernway/c/{row.pk}/").content.decode()
    assert 'class="felt"' not in page
    assert Conversation.objects.get().mood == 1
