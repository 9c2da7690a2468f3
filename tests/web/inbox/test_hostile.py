"""Attacks on the desk, in other spellings than their first; docs/reference/hostile.md has the whole list."""

from __future__ import annotations

import ast
import asyncio
import base64
import datetime as dt
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client
from django.utils import timezone

from rapport.core.errors import NotAllowed

pytestmark = pytest.mark.django_db
ROOT = "/w/fernway/"
A_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgaGgAAAGEAQFWjyAjAAAAAElFTkSuQmCC"
)
SRC = Path(__file__).resolve().parents[3] / "src" / "rapport"


def state_of_everything(workspace: Any) -> list[Any]:
    """What an act of several conversations could have changed."""
    from rapport.store.models import AuditEntry, BasketMember, Conversation, ConversationTag, Deed

    columns = ("pk", "state", "assignee", "basket", "priority", "snoozed_until", "version")
    return [
        list(Conversation.objects.order_by("pk").values_list(*columns)),
        list(ConversationTag.objects.order_by("pk").values_list("name", "removed_at")),
        sorted(BasketMember.objects.of(workspace).values_list("basket", "membership")),
        Deed.objects.count(),
        AuditEntry.objects.of(workspace).count(),
    ]


# ---------------------------------------------------------------- 1, 2: what is not theirs

ACTS = {
    "assign": "me", "tag": "late", "untag": "late", "snooze": "hour", "move": "sales", "prioritise": "3",
    "resolve": "", "reopen": "",
}  # fmt: skip


def test_an_act_on_several_with_one_foreign_among_them_changes_none(cast: Any, enter: Any, many: Any) -> None:
    from rapport.store.models import Channel, Conversation

    mine, hidden, client = many(2), many(1, basket="praise")[0], enter(cast.amir)
    theirs = Channel.objects.create(workspace=cast.charlie.workspace, network="mastodon", slug="x", name="X")
    foreign = Conversation.objects.create(
        workspace=cast.charlie.workspace, network="mastodon", channel=theirs, state="open"
    )
    merged = many(1, state="merged")[0]
    before = state_of_everything(cast.workspace)
    strange = (foreign.pk, merged.pk, 10**30, -1, 0, "1e3", "٣", "", "1 OR 1=1", "\x00")
    answers = set()
    for verb, value in ACTS.items():
        for wrong in strange if verb == "resolve" else (foreign.pk, hidden.pk, 10**9):
            ids = [mine[0].pk, wrong, mine[1].pk]
            answer = client.post(f"{ROOT}bulk/", {"verb": verb, "value": value, "id": ids})
            answers.add((answer.status_code, answer.content))
    assert [status for status, _ in answers] == [404], "the foreign and the missing answer alike"
    assert state_of_everything(cast.workspace) == before
    for verb in ("assign", "tag", "resolve"):  # and without it they are done
        asked = {"verb": verb, "value": ACTS[verb], "id": [row.pk for row in mine]}
        assert client.post(f"{ROOT}bulk/", asked).status_code == 200


def test_lists_of_people_and_accounts_with_one_foreign_are_refused_as_a_whole(
    cast: Any, enter: Any, complaint: Any, channel: Any
) -> None:
    from rapport.actions.drafts import propose_draft, save_draft
    from rapport.store.models import ApprovalRule, Basket, Channel, Delivery, Post

    care = Basket.objects.of(cast.workspace).get(slug="care")
    client, before = enter(cast.alice), state_of_everything(cast.workspace)
    for wrong in (cast.charlie.pk, cast.fred.pk, 10**9, "x"):
        people = client.post(f"{ROOT}settings/baskets/{care.pk}/people/", {"people": [cast.amir.pk, wrong]})
        given = client.post(f"{ROOT}bulk/", {"verb": "assign", "value": wrong, "id": [complaint.pk]})
        one = client.post(f"{ROOT}c/{complaint.pk}/assign", {"assignee": wrong})
        assert (people.status_code, given.status_code, one.status_code) == (404, 404, 404), wrong
    assert state_of_everything(cast.workspace) == before
    # a rule that names a basket or an account of others is not made, and not made wider either
    other = Basket.objects.of(cast.charlie.workspace)[0]
    asked = {"role": "agent", "approver": "lead", "active": "on"}
    theirs = Channel.objects.create(workspace=cast.charlie.workspace, network="mastodon", slug="x", name="X")
    for more in ({"basket": other.pk, "channel": ""}, {"basket": "", "channel": theirs.pk}):
        assert client.post(f"{ROOT}settings/approvals/new/", {**asked, **more}).status_code != 302
    assert not ApprovalRule.objects.exists()
    # a draft leaves from the account that stood on the page, or not at all
    save_draft(cast.rita, complaint, "Sorry, Nadia, a new one is on its way.", now=timezone.now())
    draft = propose_draft(cast.rita, complaint, now=timezone.now())
    complaint.refresh_from_db()
    sent = {"text": draft.text, "target": Post.objects.get(ours=False).pk, "version": complaint.version}
    for wrong in (theirs.pk, 10**9, "x"):
        answer = enter(cast.lea).post(f"{ROOT}approvals/{draft.pk}/send/", {**sent, "channel": wrong})
        assert answer.status_code == 422
        answer = enter(cast.lea).post(f"{ROOT}c/{complaint.pk}/send", {**sent, "channel": wrong})
        assert answer.status_code == 422
    assert not Delivery.objects.exists()
    assert enter(cast.lea).post(f"{ROOT}approvals/{draft.pk}/send/", {**sent, "channel": channel.pk}).status_code == 302
    assert Delivery.objects.get().channel_id == channel.pk


def test_a_join_with_somebody_of_another_workspace_joins_nobody(cast: Any, enter: Any, complaint: Any) -> None:
    from rapport.store.models import Person, PersonMerge

    now = timezone.now()
    other = Person.objects.create(workspace=cast.charlie.workspace, name="Olga", first_seen=now, last_seen=now)
    client = enter(cast.lea)
    seen = set()
    for wrong in (other.pk, 10**9, complaint.person_id + 10**6):
        answer = client.post(f"{ROOT}people/{complaint.person_id}/join", {"with": wrong, "evidence": "They said so"})
        seen.add((answer.status_code, answer.content))
    assert [status for status, _ in seen] == [404]
    assert not PersonMerge.objects.exists()


# ---------------------------------------------------------------- 5: somebody who left


@pytest.mark.django_db(transaction=True)
def test_whoever_left_is_out_of_everything_that_was_open_within_five_seconds(
    cast: Any, complaint: Any, enter: Any
) -> None:
    """Their stream, face, pen, image, file of a person and token: all of it was theirs a moment ago."""
    from rapport.actions.accounts import change_member
    from rapport.actions.api import create_token
    from rapport.actions.attachments import keep_image
    from rapport.actions.presence import look_at
    from rapport.store.models import ComposerClaim, Presence
    from rapport.web.inbox import events

    now = timezone.now()
    image = keep_image(cast.amir, complaint, A_PICTURE, now=now)
    look_at(cast.amir, complaint, writing=True, token="a1", now=now)
    _row, shown = create_token(cast.amir, "x", now=now)
    token = {"Authorization": f"Bearer {shown}"}
    client = enter(cast.amir)
    here = f"{ROOT}c/{complaint.pk}/"
    reads = (here, f"{ROOT}image/{image.pk}/", f"{ROOT}here", f"{ROOT}counts", f"{ROOT}palette/?q=a")
    assert client.get(here).status_code == 200
    assert client.get("/api/v1/conversations", headers=token).status_code == 200
    assert ComposerClaim.objects.exists()

    async def listen() -> float:
        page = AsyncClient()
        await page.aforce_login(cast.amir.user)
        response = await page.get(f"{ROOT}events?since=0")
        chunks = response.streaming_content.__aiter__()  # type: ignore[attr-defined]
        await chunks.__anext__()
        care = [complaint.basket]
        await sync_to_async(change_member)(
            cast.alice, cast.amir, role="agent", active=False, baskets=care, now=timezone.now()
        )
        began = time.monotonic()
        try:
            async for chunk in chunks:
                if b"event: bye" in chunk:
                    return time.monotonic() - began
        finally:
            await events.hub().close()
        return time.monotonic() - began

    events.CHECK, usual = 0.2, events.CHECK
    try:
        assert asyncio.run(asyncio.wait_for(listen(), 20)) < 20
    finally:
        events.CHECK = usual
    # as it ships: a look every three seconds, so that five are kept
    assert events.CHECK + events.POLL < 5
    assert not Presence.objects.exists()
    assert not ComposerClaim.objects.exists()
    for path in reads:
        assert client.get(path).status_code in {302, 404}, path
    for act, form in (("here", {"token": "a1"}), ("take-over", {"token": "a1"}), ("send", {"text": "x"})):
        assert client.post(f"{here}{act}", form).status_code in {302, 404}, act
    assert client.get("/api/v1/conversations", headers=token).status_code == 401
    from rapport.actions import desk

    cast.amir.refresh_from_db()
    with pytest.raises(NotAllowed):
        desk.resolve(cast.amir, complaint, now=timezone.now())


# ---------------------------------------------------------------- 6: a helper that says something, but not True


def test_an_answer_about_rights_that_is_only_something_opens_nothing(
    cast: Any, enter: Any, complaint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.actions import desk
    from rapport.actions.api import create_token
    from rapport.actions.audit import sees
    from rapport.store.models import Membership, accounts

    token = {"Authorization": f"Bearer {create_token(cast.alice, 'x', now=timezone.now())[1]}"}
    client = enter(cast.alice)
    odd: tuple[Any, ...] = (SimpleNamespace(allowed=False), ("no",), "False", 1, lambda: False)
    for said in odd:
        for where in (accounts, Membership):
            with monkeypatch.context() as patch:
                patch.setattr(where, "may", lambda *asked, said=said: said)
                assert client.get(f"{ROOT}settings/team/", headers={"HX-Request": "true"}).status_code == 403
                assert client.get("/api/v1/conversations", headers=token).status_code == 403
                assert not sees(cast.alice, complaint)
                with pytest.raises(NotAllowed):
                    desk.resolve(cast.alice, complaint, now=timezone.now())
    assert client.get(f"{ROOT}settings/team/").status_code == 200


def test_no_act_asks_about_a_right_without_asking_for_true_itself() -> None:
    """`if by.may(...)` is true for whatever a changed helper returns; `is True` is not."""
    loose = []
    for part in ("actions", "api", "pipeline"):
        for path in (SRC / part).rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            firm = {
                id(node.left)
                for node in ast.walk(tree)
                if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot)
            }
            # `stand(..., by.may("allow") is True)` and the like compare too; nothing else is let through
            loose += [
                f"{path.name}:{node.lineno}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "may"
                and id(node) not in firm
            ]  # fmt: skip
    assert loose == []


# ---------------------------------------------------------------- 32: names that reach for columns

LISTS = (
    "b/care/", "lists/complaints/", "search/?q=parcel", "counts", "here", "views/", "people/", "tasks/", "promises/",
    "ledger/", "ledger/export.csv", "ledger/export.jsonl", "settings/audit/", "settings/corrections/", "campaigns/",
    "offers/", "approvals/", "person-jobs/", "quarantine/", "palette/", "notices/", "settings/topics/",
)  # fmt: skip
NAMES = (
    "author__password__startswith", "_connector", "_negated", "workspace__members__user__password__regex", "__class__",
    "pk__in",
)  # fmt: skip


def test_no_list_takes_a_name_that_reaches_for_a_column(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.alice)
    told = {}
    for number, place in enumerate(LISTS):
        mark, name = "&" if "?" in place else "?", NAMES[number % len(NAMES)]
        answer = client.get(f"{ROOT}{place}{mark}{name}=p", headers={"HX-Request": "true"})
        if (answer.status_code, answer.content.decode()) != (400, f"“{name}” is no filter of a list."):
            told[f"{place} {name}"] = answer.status_code
    assert told == {}
    # and who may not see the page learns nothing but that
    assert enter(cast.charlie).get(f"{ROOT}people/?_connector=OR").status_code == 404
    assert enter(cast.amir).get(f"{ROOT}ledger/?_connector=OR").status_code == 403


def test_no_value_of_a_filter_becomes_a_lookup(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.alice)
    names = ("tab", "sort", "state", "mood", "intent", "automated", "opinion", "group", "show", "view")
    row = f"/w/fernway/c/{complaint.pk}/".encode()
    for value in ("assignee__user__password", "-pk; DROP TABLE", "score__gt", "\x00", "{'x': 1}", "9" * 40):
        answer = client.get(f"{ROOT}b/care/", dict.fromkeys(names, value), headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert row in answer.content
    for words in ("author__password__startswith:p", "assignee.user.password:x", "is:__class__"):
        assert client.get(f"{ROOT}search/", {"q": words}, headers={"HX-Request": "true"}).status_code in {200, 400}
    for place, name in (("people/", "relationship"), ("ledger/", "kind"), ("tasks/", "tab")):
        assert client.get(f"{ROOT}{place}", {name: "x__startswith"}).status_code == 200


# ---------------------------------------------------------------- 27: a page of somebody else

FORMS = (
    "c/{}/send", "c/{}/note", "c/{}/resolve", "c/{}/image", "bulk/", "hold/", "undo", "views/save",
    "people/{person}/data/erase/", "people/{person}/join", "settings/team/invite/", "campaigns/new/",
)  # fmt: skip


def test_no_form_of_another_site_has_an_effect_in_any_shape(cast: Any, enter: Any, complaint: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice.user)
    before = state_of_everything(cast.workspace)
    shapes = ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x")
    for number, form in enumerate(FORMS):
        for shape in (shapes[number % 3], shapes[(number + 1) % 3]):
            path = f"{ROOT}{form.format(complaint.pk, person=complaint.person_id)}"
            headers = {"Origin": "https://evil.example", "Referer": "https://evil.example/"}
            answer = client.post(path, b'{"text": "x"}', content_type=shape, headers=headers)
            assert answer.status_code == 403, (path, shape)
    assert state_of_everything(cast.workspace) == before


def test_no_answer_may_be_read_by_a_page_of_another_site(cast: Any, enter: Any) -> None:
    """Without CORS headers a browser keeps the answer from the page that asked; the stream is read as any answer is."""
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    client = enter(cast.alice)
    # the stream comes last and is not closed: the end of a request closes connections, here that of the test
    for path in (f"{ROOT}here", f"{ROOT}counts", "/api/v1/openapi.json", "/healthz", f"{ROOT}events"):
        answer = client.get(path, headers=foreign)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")], path


# ---------------------------------------------------------------- 31, 35: what comes as a file

EVIL_NAMES = (
    "..%2f..%2fetc%2fpasswd", "a.png\x00.php", "x.pht", "a\u200b.png", "..\\..\\x.png", "<svg onload=alert(1)>.png",
    "a\r\nSet-Cookie: x=1.png",
)  # fmt: skip


def test_no_name_of_a_file_says_where_it_lies_or_what_it_is_called_again(
    cast: Any, enter: Any, complaint: Any, settings: Any, tmp_path: Path
) -> None:
    import msgspec
    from django.core.files.uploadedfile import SimpleUploadedFile

    from rapport.store.models import Attachment

    settings.RAPPORT = msgspec.structs.replace(settings.RAPPORT, data=str(tmp_path))
    client = enter(cast.amir)
    for name in EVIL_NAMES:
        file = SimpleUploadedFile("x.png", A_PICTURE, "text/html")
        file._name = name  # type: ignore[attr-defined]  # as it would stand in the request of a hostile client
        answer = client.post(f"{ROOT}c/{complaint.pk}/image", {"file": file}, headers={"HX-Request": "true"})
        assert answer.status_code in {200, 400, 422}, name
        for row in Attachment.objects.all():
            shown = client.get(f"{ROOT}image/{row.pk}/")
            assert shown.headers["Content-Type"] == "image/png"
            assert shown.headers["X-Content-Type-Options"] == "nosniff"
            assert shown.headers["Content-Disposition"] == f'inline; filename="image-{row.pk}.png"'
            client.post(f"{ROOT}c/{complaint.pk}/image/{row.pk}/drop", {})
    lying = {each.name for each in tmp_path.rglob("*") if each.is_file()}
    assert all(len(name) == 64 and int(name, 16) >= 0 for name in lying)


def test_what_only_claims_to_be_an_upload_is_refused(cast: Any, enter: Any, complaint: Any) -> None:
    from rapport.store.models import Attachment

    client = enter(cast.amir)
    field = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n/etc/passwd\r\n--x--\r\n'
    claims = (
        ("application/json", b'{"file": {"path": "/etc/passwd", "filepath": "/proc/self/environ"}}', 415),
        ("application/x-www-form-urlencoded", b"file=/etc/passwd", 415),
        ("text/plain", b"file=/etc/passwd", 415),
        ("multipart/form-data; boundary=x", field, 422),
    )  # fmt: skip
    for kind, body, status in claims:
        answer = client.post(f"{ROOT}c/{complaint.pk}/image", body, content_type=kind, headers={"HX-Request": "true"})
        assert answer.status_code == status, kind
        assert b"root:" not in answer.content
    assert not Attachment.objects.exists()


# ---------------------------------------------------------------- 7: markup, wherever words of people are shown

EVIL = '"><svg/onload=alert(1)><scr<script>ipt>alert(2)</script><img src=x onerror=alert(3)>{{7*7}}'


@pytest.fixture
def planted(cast: Any, complaint: Any, now: dt.datetime) -> Any:
    """Hostile words in every place that colleagues and strangers write."""
    from rapport.store import models as m

    workspace = cast.workspace
    here = {"workspace": workspace, "conversation": complaint}
    post = m.Post.objects.get(conversation_id=complaint.pk)
    evil = EVIL[:80]
    m.Note.objects.create(**here, author=cast.lea, text=f"@ben {EVIL}", at=now)
    note = m.Note.objects.create(**here, author=cast.lea, text=f"@ben@fernway.example {EVIL}", at=now)
    m.NoteMention.objects.create(workspace=workspace, note=note, membership=cast.ben)
    m.Article.objects.create(workspace=workspace, title=evil, text=EVIL, changed_at=now)
    survey = m.Survey.objects.create(
        workspace=workspace, slug="csat", name=evil, thanks=EVIL, changed_at=now,
        questions=[{"kind": "choice", "text": EVIL[:200], "choices": [evil, "b"]}],
    )  # fmt: skip
    m.Invitation.objects.create(
        **here, survey=survey, person=complaint.person, digest="d", made_at=now, expires_at=now, questions=[],
    )  # fmt: skip
    field = m.PersonField.objects.create(workspace=workspace, slug="x", name=evil)
    m.PersonValue.objects.create(workspace=workspace, person=complaint.person, field=field, value=EVIL, at=now)
    m.PersonNote.objects.create(workspace=workspace, person=complaint.person, author=cast.lea, text=EVIL, at=now)
    m.Consent.objects.create(
        workspace=workspace, person=complaint.person, purpose="quote", given=True, source=EVIL, at=now
    )
    campaign = m.Campaign.objects.create(workspace=workspace, name=evil, query="late", state="running", at=now)
    variant = m.Variant.objects.create(workspace=workspace, campaign=campaign, name=EVIL[:40], text=EVIL)
    m.CampaignPost.objects.create(**here, campaign=campaign, post=post, variant=variant, text=EVIL)
    m.Offer.objects.create(
        **here, person=complaint.person, what="refund", by=cast.amir, at=now, state="asked", reason=EVIL
    )
    m.ConversationTag.objects.create(**here, name=evil[:63], at=now)
    m.SavedView.objects.create(workspace=workspace, name=evil, asked={"b": "care"}, at=now)
    m.Task.objects.create(**here, title=evil, basket=complaint.basket, made_at=now)
    m.PreparedReply.objects.create(workspace=workspace, slug="evil", name=evil, text=EVIL)
    m.Draft.objects.create(**here, author=cast.rita, text=EVIL, proposed=True, updated_at=now)
    m.BrandHandle.objects.create(workspace=workspace, network="mastodon", key="x", name=evil, at=now)
    m.Handle.objects.update(name=EVIL, bio=EVIL)
    m.Person.objects.update(name=EVIL, about=EVIL)
    m.PersonMerge.objects.create(
        workspace=workspace, kept=complaint.person_id, absorbed=10**6, handles=[], conversations=[complaint.pk],
        known={"name": EVIL}, before={"name": EVIL}, evidence=EVIL, by=cast.lea, at=now,
    )  # fmt: skip
    m.User.objects.filter(pk=cast.lea.user_id).update(name=evil)
    type(workspace).objects.filter(pk=workspace.pk).update(hold_reason=EVIL)
    return SimpleNamespace(talk=complaint, campaign=campaign.pk, survey=survey.pk, field=field.pk)


def test_no_words_of_anybody_become_markup_on_any_page(cast: Any, enter: Any, planted: Any) -> None:
    client, person = enter(cast.alice), planted.talk.person_id
    pages = (
        f"c/{planted.talk.pk}/", "b/care/", f"people/{person}/", "people/", f"people/{person}/data/",
        f"people/{person}/join?q=svg", "settings/articles/", "settings/surveys/",
        f"settings/surveys/{planted.survey}/", f"settings/surveys/{planted.survey}/results/", "campaigns/",
        f"campaigns/{planted.campaign}/", f"campaigns/{planted.campaign}/change/", "offers/", "offers/report/",
        "tasks/?tab=team", "approvals/", "views/", "search/?q=svg", "palette/?q=svg", f"c/{planted.talk.pk}/snippets",
        "settings/replies/", "settings/people/",
        "settings/brands/", "settings/team/", "settings/audit/", "settings/approvals/", "ledger/", "hold/", "named/",
        "bulk/bar/", "here", f"c/{planted.talk.pk}/names?q=a",
    )  # fmt: skip
    missing, shown = [], set()
    for page in pages:
        answer = client.get(f"{ROOT}{page}")
        if answer.status_code != 200:
            missing.append((page, answer.status_code))
            continue
        body = answer.content.decode()
        for tag in ("<svg/onload", "<img src=x", "alert(2)</script>", "<scr<"):
            assert tag not in body, page
        if "text/html" in answer.headers["Content-Type"] and "alert(1)" in body:
            shown.add(page)
    assert missing == []
    assert len(shown) > 15, f"the words stand on so few pages: {sorted(shown)}"


@pytest.mark.parametrize(
    ("method", "address", "fields"),
    [
        ("post", "c/{talk}/draft", {"text": "Hello", "begun": "\x00"}),
        ("post", "c/{talk}/draft", {"text": "Hello", "begin": "a\x00b"}),
        ("post", "c/{talk}/move", {"basket": "\x00"}),
        ("post", "c/{talk}/survey", {"survey": "\x00"}),
        ("post", "tasks/new", {"title": "Call", "basket": "\x00"}),
        ("get", "promises/", {"basket": "\x00"}),
        ("get", "people/{person}/join", {"q": "\x00"}),
        ("get", "people/{person}/join", {"q": "na\x00dia"}),
        ("post", "people/{person}/suppress", {"lift": "a\x00b"}),
    ],
)
def test_a_nul_in_a_field_is_no_fault_of_ours(
    cast: Any, enter: Any, hear: Any, make_post: Any, method: str, address: str, fields: dict[str, str]
) -> None:
    """PostgreSQL keeps none; SQLite does not mind."""
    from rapport.store.models import Conversation

    hear(make_post("My parcel is broken, @fernway!"))
    talk = Conversation.objects.get()
    fields = {"target": str(talk.decided_by), "channel": str(talk.channel_id), **fields}
    place = address.format(talk=talk.pk, person=talk.person_id)
    answer = getattr(enter(cast.lea), method)(f"/w/fernway/{place}", fields)
    assert answer.status_code < 500
