"""The page behind a link: without a session, one answer, the same word for whatever cannot be answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from rapport.actions.outbound import approve
from rapport.actions.surveys import put_into_draft, save_survey
from rapport.core.surveys import Question, tokens_in
from rapport.store.models import Conversation, Invitation, Membership, Post, SurveyAnswer

pytestmark = pytest.mark.django_db
ASKED = [Question("score", "How <b>was</b> it?"), Question("choice", "Where?", ("Shop", "Web")), Question("text", "W?")]


@pytest.fixture
def link(
    alice: Membership, channel: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> Callable[..., str]:
    """`link(language)`: the path of a link that left."""
    hear(make_post("My parcel is broken", author="nadia"))
    cache.clear()

    def make(language: str = "en") -> str:
        now = timezone.now()
        talk = Conversation.objects.get()
        survey = save_survey(alice, None, name="<script>x</script>", questions=ASKED, language=language, now=now)
        text = put_into_draft(alice, talk, survey, now=now).text
        approve(alice, talk, text, target=Post.objects.get(ours=False), channel=channel, version=talk.version, now=now)
        return f"/s/{tokens_in(text)[0]}/"

    return make


def test_the_page_works_without_script_session_or_cookie_and_tells_its_address_to_nobody(
    link: Callable[..., str],
) -> None:
    client, path = Client(enforce_csrf_checks=True), link()
    page = client.get(path)
    body = page.content.decode()
    assert page.status_code == 200
    assert "<script" not in body
    assert "How &lt;b&gt;was&lt;/b&gt; it?" in body
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page.headers["Cache-Control"]
    assert not page.cookies
    answer = client.post(path, {"q0": "5", "q1": "Web", "q2": "Fine <img src=x>"})
    assert (answer.status_code, not answer.cookies) == (200, True)
    assert SurveyAnswer.objects.get().answers == [5, "Web", "Fine <img src=x>"]
    again = client.post(path, {"q0": "1"})
    assert (again.status_code, SurveyAnswer.objects.get().score) == (410, 5)


def test_a_look_uses_nothing_up_and_a_form_without_answers_is_asked_again(link: Callable[..., str]) -> None:
    client, path = Client(), link()
    for _ in range(3):
        assert client.head(path).status_code == client.get(path).status_code == 200
    empty = client.post(path, {"q2": " "})
    assert (empty.status_code, "Answer at least one" in empty.content.decode()) == (422, True)
    wrong = client.post(path, {"q0": "9", "q2": "kept <words>"})
    assert (wrong.status_code, "kept &lt;words&gt;" in wrong.content.decode()) == (422, True)
    assert not SurveyAnswer.objects.exists()


def test_unknown_used_expired_and_taken_back_say_the_same_to_the_byte(link: Callable[..., str]) -> None:
    client, path = Client(), link()
    unknown = client.get(f"/s/{'A' * 43}/")
    client.post(path, {"q0": "5"})
    seen = {client.get(path).content, unknown.content, client.post(path, {"q0": "1"}).content}
    Invitation.objects.update(answered_at=None, expires_at=timezone.now())
    seen.add(client.get(path).content)
    Invitation.objects.update(expires_at=timezone.now() + dt.timedelta(days=1), void_at=timezone.now())
    seen.add(client.get(path).content)
    Invitation.objects.update(void_at=None, approval=None)
    seen.add(client.get(path).content)
    seen |= {client.get(f"/s/{odd}/").content for odd in ("x", "A" * 44, "é" * 43)}
    assert (len(seen), unknown.status_code) == (1, 410)


def test_the_page_speaks_the_language_of_the_survey_in_its_direction(link: Callable[..., str]) -> None:
    page = Client().get(link("ar"), headers={"Accept-Language": "de"})
    body = page.content.decode()
    assert 'lang="ar" dir="rtl"' in body
    assert "إرسال" in body
    assert page.headers["Content-Language"] == "ar"


def test_whoever_tries_keys_is_slowed_down(link: Callable[..., str]) -> None:
    client, path = Client(), link()
    codes = [client.post(f"/s/{number:043d}/", {"q0": "1"}).status_code for number in range(32)]
    assert (codes[0], codes[-1]) == (410, 429)
    assert client.post(path, {"q0": "5"}).status_code == 429
    assert not SurveyAnswer.objects.exists()


def test_two_who_answer_at_once_leave_one_answer(link: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    from rapport.actions import surveys

    path = link()
    row = surveys.find_open(path[3:-1], timezone.now())
    assert row is not None
    assert Client().post(path, {"q0": "5"}).status_code == 200
    # the second one looked before the first had answered
    monkeypatch.setattr(surveys, "find_open", lambda token, now: row)
    assert Client().post(path, {"q0": "1"}).status_code == 410
    assert SurveyAnswer.objects.get().score == 5
