"""What people said in surveys: their pages, and lists narrowed by it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rapport.store.models import Invitation, Survey, SurveyAnswer


def answered(talk: Any, score: int, now: dt.datetime) -> None:
    """The person of a conversation answered a survey."""
    survey, _ = Survey.objects.get_or_create(
        workspace=talk.workspace, slug="csat", defaults={"name": "How was it?", "changed_at": now}
    )
    asked = Invitation.objects.create(
        workspace=talk.workspace, survey=survey, conversation=talk, person=talk.person, digest=str(talk.pk),
        questions=[{"kind": "score", "text": "How?"}, {"kind": "text", "text": "Why?"}], made_at=now, expires_at=now,
        answered_at=now,
    )  # fmt: skip
    SurveyAnswer.objects.create(
        workspace=talk.workspace, invitation=asked, score=score, answers=[score, "<b>late</b>"], at=now
    )


def test_a_list_is_narrowed_to_those_who_were_unhappy_in_a_survey(cast: Any, enter: Any, many: Any, now: Any) -> None:
    sad, glad, _silent = many(3)
    answered(sad, 1, now)
    answered(glad, 5, now)
    client = enter(cast.amir)
    for opinion, shown in (("unhappy", {"0"}), ("happy", {"1"}), ("", {"0", "1", "2"}), ("x' OR 1", {"0", "1", "2"})):
        page = client.get("/w/fernway/b/care/", {"opinion": opinion}).content.decode()
        assert {number for number in "012" if f"Words {number}" in page} == shown, opinion
    page = client.get("/w/fernway/b/care/", {"opinion": "unhappy"}).content.decode()
    assert "Unhappy in a survey" in page


def test_an_answer_stands_in_the_thread_and_on_the_page_of_its_survey(
    cast: Any, enter: Any, complaint: Any, now: Any
) -> None:
    answered(complaint, 2, now)
    thread = enter(cast.amir).get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    assert "They answered “How was it?”" in thread
    assert "&lt;b&gt;late&lt;/b&gt;" in thread
    survey = Survey.objects.get()
    results = enter(cast.lea).get(f"/w/fernway/settings/surveys/{survey.pk}/results/?days=365").content.decode()
    assert "Nadia" in results


def test_a_survey_is_written_on_its_page_and_a_smuggled_field_is_refused(cast: Any, enter: Any) -> None:
    client = enter(cast.lea)
    form = {"name": "Tent", "language": "de", "days": "7", "active": "on", "kind0": "score", "text0": "Wie war es?"}
    assert client.post("/w/fernway/settings/surveys/new/", form).status_code == 302
    made = Survey.objects.get()
    assert (made.slug, made.language, made.questions) == ("tent", "de", [{"kind": "score", "text": "Wie war es?"}])
    assert client.post("/w/fernway/settings/surveys/new/", {**form, "workspace": "2"}).status_code == 400
    assert client.post("/w/fernway/settings/surveys/new/", {**form, "kind0": ""}).status_code == 422
