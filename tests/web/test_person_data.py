"""Everything of a person on the desk: a file of it, its erasure, and the reports of both."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.utils import timezone

from canary import CANARY, NAME, places, plant
from rapport.actions.export_files import export_file
from rapport.actions.exports import KEPT, sweep_exports
from rapport.actions.listening import save_topic
from rapport.actions.person_jobs import claim_job
from rapport.actions.purges import carry_on_purges
from rapport.actions.rule_drafts import begin_draft
from rapport.actions.rules import save_rules
from rapport.actions.views import save_view
from rapport.core.rules.edit import compose
from rapport.pipeline.person_jobs import carry_out
from rapport.store.models import Conversation, Note, Person, PersonJob, Post
from rapport.store.queries.erasure import HOLDERS, UNREACHED
from rapport.web import person_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(alice: Any, channel: Any, hear: Any, make_post: Any, bus: Any) -> Person:
    found: Person = plant(alice, channel, hear, make_post, bus)
    return found


def work() -> PersonJob:
    """What a worker does."""
    job = claim_job("worker", now=timezone.now())
    assert job is not None
    assert carry_out(job, timezone.now, pause=lambda seconds: None)
    return PersonJob.objects.get(pk=job.pk)


def fetch(client: Any, job: PersonJob) -> zipfile.ZipFile:
    answer = client.get(f"/w/fernway/person-jobs/{job.pk}/file/")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer["Cache-Control"]
    content = b"".join(answer.streaming_content)
    return zipfile.ZipFile(io.BytesIO(content))


def test_a_file_of_everything_is_asked_for_fetched_and_gone_after_a_week(cast: Any, enter: Any, person: Person) -> None:
    client, root = enter(cast.ben), f"/w/fernway/people/{person.pk}/data/"
    assert "Type <b" in client.get(root).content.decode()
    assert client.post(f"{root}export/", {"reason": ""}).status_code == 422
    asked = client.post(f"{root}export/", {"reason": "asked by mail"})
    job = work()
    assert asked["Location"] == f"/w/fernway/person-jobs/{job.pk}/"
    page = client.get(asked["Location"]).content.decode()
    assert "Fetch the file" in page
    told = json.loads(fetch(client, job).read("person.json"))
    assert (told["format"], told["version"]) == ("rapport.person", 1)
    path = export_file(job)
    assert path is not None
    sweep_exports(now=timezone.now() + KEPT)
    assert not path.exists()
    assert client.get(f"/w/fernway/person-jobs/{job.pk}/file/")["Location"] == asked["Location"]
    assert "The file is gone" in client.get(asked["Location"]).content.decode()


def test_a_file_whose_time_is_over_is_given_to_nobody_even_before_it_is_swept(
    cast: Any, enter: Any, person: Person
) -> None:
    client = enter(cast.ben)
    client.post(f"/w/fernway/people/{person.pk}/data/export/", {"reason": "asked by mail"})
    job = work()
    PersonJob.objects.filter(pk=job.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert client.get(f"/w/fernway/person-jobs/{job.pk}/file/").status_code == 302


def test_the_file_has_what_the_desk_shows(cast: Any, enter: Any, person: Person) -> None:
    client = enter(cast.ben)
    client.post(f"/w/fernway/people/{person.pk}/data/export/", {"reason": "asked by mail"})
    packed = fetch(client, work())
    told, page = json.loads(packed.read("person.json")), packed.read("person.html").decode()
    posts = Post.objects.filter(handle__person=person)
    assert [each["text"] for each in told["posts"]] == list(
        posts.order_by("sort_at", "pk").values_list("text", flat=True)
    )
    assert {each["id"] for each in told["accounts"]} == set(person.handles.values_list("external_id", flat=True))
    assert {each["id"] for each in told["conversations"]} >= set(
        Conversation.objects.filter(person=person).values_list("pk", flat=True)
    )
    notes = {each["text"] for each in told["notes"]}
    assert notes == {
        *Note.objects.exclude(text__contains="Olga").values_list("text", flat=True),
        f"Rings as {CANARY} at noon",
    }
    assert told["fields"] == {"Customer number": f"{CANARY}-4711"}
    assert [each["what"].lower() for each in told["consents"]] == ["survey: allowed"]
    assert len(told["answers"]) == 2
    assert {f"{CANARY}!"} == {each["text"] for each in told["surveys"]}
    assert told["offers"][0]["what"] == "refund 5.00 EUR: agreed"
    assert "Olga" not in json.dumps(told)
    assert "Alice" not in json.dumps(told)
    for each in told["posts"]:
        assert each["text"].replace("'", "&#x27;") in page


def test_the_page_in_the_file_runs_nothing(cast: Any, enter: Any, hear: Any, make_post: Any) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    hear(make_post(evil, author="nadia"))
    client, person = enter(cast.ben), Person.objects.get()
    client.post(f"/w/fernway/people/{person.pk}/data/export/", {"reason": "asked by mail"})
    page = fetch(client, work()).read("person.html").decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "default-src 'none'" in page


def test_an_erasure_is_confirmed_by_the_name_done_and_reported(cast: Any, enter: Any, person: Person) -> None:
    client, root = enter(cast.ben), f"/w/fernway/people/{person.pk}/data/"
    wrong = client.post(f"{root}erase/", {"reason": "asked by mail", "typed": "Olga"})
    assert wrong.status_code == 422
    assert "to confirm" in wrong.content.decode()
    asked = client.post(f"{root}erase/", {"reason": "asked by mail", "typed": NAME})
    assert "under way" in client.get(asked["Location"]).content.decode() or not PersonJob.objects.get().claimed_by
    job = work()
    page = client.get(asked["Location"]).content.decode()
    for words in ("Removed", "Emptied of every word", "Copies of the database", "Posts"):
        assert words in page
    assert CANARY not in page.lower()
    assert client.get(root).status_code == 404
    told = client.get(f"{asked['Location']}?as=json").json()
    assert (told["state"], told["report"]) == ("done", job.report)
    assert told["what_becomes_of_each"]["Approval"]
    assert "asked by mail" in client.get("/w/fernway/person-jobs/").content.decode()
    assert sorted(places()) == []


def test_the_report_of_an_erasure_lists_what_still_names_an_account_of_theirs(
    cast: Any, enter: Any, hear: Any, make_post: Any
) -> None:
    hear(make_post("Hello there", author="nadia"))
    by, now = cast.ben, timezone.now() - dt.timedelta(minutes=1)
    naming = compose({"name": "Their rule", "when": 'author.handle == "nadia"', "then": ["tag:her"]})
    other = compose({"name": "Other rule", "when": 'author.handle == "nadiah"', "then": ["tag:nadiah"]})
    save_rules(by, f"{naming}\n{other}", now=now)
    topic = save_topic(by, "", "Her words", "shoes OR nadia", now=now)
    save_topic(by, "", "Shoes", "shoes OR nadias", now=now)
    view = save_view(by, "About her", {"q": "nadia"}, shared=False, now=now)
    save_view(cast.lea, "Of Lea", {"q": "nadia"}, shared=False, now=now)
    save_view(by, "About shoes", {"q": "shoes"}, shared=False, now=now)
    begin_draft(by, "With a fault", "[[rule nadia", now=now)
    client = enter(by)
    client.post(f"/w/fernway/people/{Person.objects.get().pk}/data/erase/", {"reason": "asked", "typed": "Nadia"})
    job = work()
    assert "nadia" not in json.dumps(job.report)
    address = f"/w/fernway/person-jobs/{job.pk}/"

    def listed() -> str:
        return client.get(address).content.decode().partition('id="named"')[2].partition("</section>")[0]

    shown = listed()
    for link, name in (
        ("settings/rules/rule/?name=Their+rule", "Their rule"), (f"settings/topics/{topic.pk}/", "Her words"),
        (f"views/{view.pk}/", "About her"),
    ):  # fmt: skip
        assert f'href="/w/fernway/{link}" dir="auto">{name}</a>' in shown
        assert client.get(f"/w/fernway/{link}").status_code in {200, 302}
    assert "one of Lea, for themselves" in shown
    assert "With a fault" in shown
    for name in ("Other rule", ">Shoes<", "About shoes", "Of Lea", "changed since"):
        assert name not in shown
    save_rules(by, f"{naming}\n{other}".replace('"nadia"', '"nora"'), now=timezone.now())
    assert listed().count("changed since") == 1
    save_rules(by, other, now=timezone.now())
    assert "Their rule" not in listed()


def test_a_report_says_so_where_nothing_names_them(cast: Any, enter: Any, hear: Any, make_post: Any) -> None:
    hear(make_post("Hello there", author="nadia"))
    client = enter(cast.ben)
    client.post(f"/w/fernway/people/{Person.objects.get().pk}/data/erase/", {"reason": "asked", "typed": "Nadia"})
    page = client.get(f"/w/fernway/person-jobs/{work().pk}/").content.decode()
    assert "No rule, topic, campaign or saved view names one of their accounts." in page


def test_the_desk_still_shows_its_pages_after_an_erasure(cast: Any, enter: Any, person: Person) -> None:
    client = enter(cast.ben)
    client.post(f"/w/fernway/people/{person.pk}/data/erase/", {"reason": "asked by mail", "typed": NAME})
    work()
    talk = Conversation.objects.get(pk=Post.objects.get(external_id="901").conversation_id)
    for address in (
        "",
        f"c/{talk.pk}/",
        "settings/audit/",
        "tasks/",
        "people/",
        "promises/",
        "offers/",
        "ledger/",
        "campaigns/",
    ):
        answer = client.get(f"/w/fernway/{address}")
        assert answer.status_code in {200, 302}, address
        assert CANARY not in answer.content.decode().lower()


def test_every_table_and_every_part_has_its_name_in_words() -> None:
    assert {holder.table for holder in HOLDERS} <= person_data.NAMES.keys()
    assert set(UNREACHED) == person_data.UNREACHED.keys()


def test_a_lead_neither_exports_nor_erases(cast: Any, enter: Any, person: Person) -> None:
    client, root = enter(cast.lea), f"/w/fernway/people/{person.pk}/data/"
    assert client.get(root).status_code == 403
    assert client.post(f"{root}erase/", {"reason": "asked by mail", "typed": NAME}).status_code == 403
    assert "Their data" not in client.get(f"/w/fernway/people/{person.pk}/").content.decode()
    assert not PersonJob.objects.exists()


def test_what_was_heard_through_a_disconnected_account_is_deleted_on_the_word_of_an_admin(
    cast: Any, enter: Any, channel: Any, hear: Any, make_post: Any
) -> None:
    hear(make_post("A word on Mastodon"))
    client, root = enter(cast.ben), f"/w/fernway/settings/channels/{channel.pk}/"
    assert "Delete what was heard" not in client.get(root).content.decode()
    client.post(f"{root}disconnect/")
    assert "Delete what was heard" in client.get(root).content.decode()
    assert "to confirm" in client.post(f"{root}forget/", {"typed": "Other"}, follow=True).content.decode()
    assert "is being deleted" in client.post(f"{root}forget/", {"typed": "Fernway"}, follow=True).content.decode()
    while carry_on_purges(cast.workspace, now=timezone.now()):
        pass
    assert not Post.objects.exists()
    assert "was deleted" in client.get(root).content.decode()


def test_an_export_under_way_says_how_much_is_read(
    cast: Any, enter: Any, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.actions import exports
    from rapport.store.queries import person_export

    client = enter(cast.ben)
    asked = client.post(f"/w/fernway/people/{person.pk}/data/export/", {"reason": "asked by mail"})
    assert "entries read" not in client.get(asked["Location"]).content.decode()
    seen: list[str] = []
    write = exports.write_export

    def look_then_write(content: bytes) -> str:
        seen.append(client.get(asked["Location"]).content.decode())
        return write(content)

    monkeypatch.setattr(exports, "write_export", look_then_write)
    monkeypatch.setattr(person_export, "TOLD", 1)
    job = work()
    of = sum(person_export.count_kept(person).values())
    bar = re.search(r'<progress class="wide" max="(\d+)" value="(\d+)"', seen[0])
    assert bar is not None
    read = int(bar[2])
    assert (int(bar[1]), 0 < read <= of) == (of, True)
    assert f"{read} of {of} entries read" in seen[0]
    assert set(job.report) == {"held"}
    assert "entries read" not in client.get(asked["Location"]).content.decode()
