"""One conversation: what is shown of it, and what people do with it."""

import datetime as dt
import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "work"}


def here(row: Any, act: str = "") -> str:
    return f"/w/fernway/c/{row.pk}/{act}"


def shown(client: Client, row: Any, **extra: Any) -> str:
    return client.get(here(row), **extra).content.decode()


def unmarked(page: str) -> str:
    """The page without the marks of what carried a reading: which words they are is the model's affair."""
    return re.sub(r"</?mark\b[^>]*>", "", page)


def place_of(page: str, rule: str) -> int:
    """Where the reason names a rule, with the way to its page."""
    found = re.search(rf"<b><a [^>]*>{re.escape(rule)}</a></b>", page)
    assert found is not None, rule
    return found.start()


def add(cast: Any, row: Any, text: str, now: dt.datetime, minutes: int, **fields: Any) -> Any:
    """One more post in the conversation, `minutes` after noon."""
    from rapport.store.models import Handle, Post

    at = now + dt.timedelta(minutes=minutes)
    given = {
        "workspace": cast.workspace, "channel": row.channel, "handle": Handle.objects.of(cast.workspace).first(),
        "conversation_id": row.pk, "network": "mastodon", "external_id": f"later-{minutes}", "kind": "reply",
        "text": text, "created_at": at, "seen_at": at, "sort_at": at, **fields,
    }  # fmt: skip
    return Post.objects.create(**given)


def test_the_page_shows_list_conversation_and_person(cast: Any, enter: Any, complaint: Any) -> None:
    page = shown(enter(cast.alice), complaint)
    for words in ("<html", 'id="list"', "left in the rain", "@nadia", "This is the first.", "1 negative", "Score"):
        assert words in page


def test_htmx_gets_the_conversation_alone(cast: Any, enter: Any, complaint: Any) -> None:
    part = shown(enter(cast.alice), complaint, headers=HTMX)
    assert "<html" not in part
    assert 'id="list"' not in part
    assert "left in the rain" in unmarked(part)


def test_it_says_why_it_is_here_down_to_each_rule(
    cast: Any, enter: Any, complaint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.web.inbox import conversation

    monkeypatch.setattr(conversation, "STEPS_AT_ONCE", 100)
    from rapport.store.models import Post
    from rapport.store.queries.talk import judge, read_talk
    from rapport.store.why import explain
    from rapport.web.why_words import short_why

    said = judge(Post.objects.of(cast.workspace).select_related("outcome").get())
    page = unescape(shown(enter(cast.alice), complaint))
    assert f"In Care because <b>{short_why(complaint.why)}</b>" in page
    assert f'<summary title="{complaint.why}">' in page
    assert said is not None
    told = explain(read_talk(complaint, cast.alice))
    assert told is not None
    assert len(told.steps) == said.decision.tried > len(said.decision.trace) > 0
    places = [place_of(page, step.rule) for step in (*told.decided, *told.passed)]
    assert places == sorted(places)  # what decided comes first, the rules that did not match after it
    for step in told.steps:
        assert ", ".join(step.because) in page
    for factor in said.score.factors:
        assert factor.reason in page


def test_a_rule_that_watches_or_proposes_says_what_it_did_not_do_by_itself(
    cast: Any, enter: Any, hear: Any, make_post: Any, now: dt.datetime
) -> None:
    from rapport.actions.rules import save_rules
    from rapport.store.models import Conversation

    form = "[[rule]]\nname = '{0}'\nwhen = 'true'\nthen = ['tag:{0}']\nautonomy = '{0}'\n"
    save_rules(cast.alice, "".join(map(form.format, ("observe", "suggest", "act"))), now=now)
    hear(make_post("Hello @fernway"))
    page = unescape(shown(enter(cast.alice), Conversation.objects.of(cast.workspace).get()))
    assert ">only observed, would have done: tag:observe<" in page
    assert ">proposed: tag:suggest<" in page
    assert ">tag:act<" in page


def test_rules_of_which_nothing_can_be_told_any_more_are_counted(cast: Any, enter: Any, complaint: Any) -> None:
    from rapport.store.models import Post, RuleSet
    from rapport.store.queries.talk import judge

    RuleSet.objects.of(cast.workspace).delete()
    said = judge(Post.objects.of(cast.workspace).select_related("outcome").get())
    assert said is not None
    page = unescape(shown(enter(cast.alice), complaint))
    assert all(place_of(page, step.rule) for step in said.decision.trace)
    assert f"{said.decision.tried - len(said.decision.trace)} more rules were tried and did not match." in page


def test_words_that_carried_the_reading_are_marked(cast: Any, enter: Any, complaint: Any) -> None:
    assert '<mark class="care"' in shown(enter(cast.alice), complaint)


def test_a_deleted_post_shows_no_word_of_it(cast: Any, enter: Any, complaint: Any, now: dt.datetime) -> None:
    add(cast, complaint, "regretted words", now, 1, deleted=True)
    page = shown(enter(cast.alice), complaint)
    assert "deleted on the network" in page
    assert "regretted" not in page


def test_a_branch_says_whom_it_answers(cast: Any, enter: Any, complaint: Any, now: dt.datetime) -> None:
    from rapport.store.models import Post

    root = Post.objects.of(cast.workspace).get()
    add(cast, complaint, "first", now, 1, in_reply_to=root.external_id)
    client = enter(cast.alice)
    assert 'class="answers"' not in shown(client, complaint)
    add(cast, complaint, "second", now, 2, in_reply_to=root.external_id)
    add(cast, complaint, "third", now, 3, in_reply_to="never-seen")
    page = shown(client, complaint)
    assert f'href="#post-{root.pk}"' in page
    assert "answering a post that we did not see" in page


def test_a_long_thread_shows_its_newest_and_the_rest_on_a_press(
    cast: Any, enter: Any, complaint: Any, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.store.models import Post
    from rapport.web.inbox import conversation

    monkeypatch.setattr(conversation, "NEWEST", 2)
    root = Post.objects.of(cast.workspace).get()
    for minutes, text in enumerate(["the second", "the third", "the fourth"], start=1):
        add(cast, complaint, text, now, minutes, in_reply_to=root.external_id)
    client = enter(cast.alice)
    page = shown(client, complaint)
    assert "the third" in page
    assert "the second" not in page
    assert "Show 2 earlier entries" in page
    assert f"earlier=all#post-{root.pk}" in page, "a link to what is not on the page leads to the page that has it"
    whole = client.get(f"/w/fernway/c/{complaint.pk}/?earlier=all").content.decode()
    assert "the second" in whole
    assert "earlier entries" not in whole


def delivered(cast: Any, row: Any, target: Any, state: str, at: dt.datetime, text: str = "On its way") -> Any:
    """A reply of Alice to `target` in this state."""
    from rapport.store.models import Approval, Delivery

    approval = Approval.objects.create(
        workspace=cast.workspace, conversation=row, target=target, channel=row.channel, text=text,
        person=cast.alice, digest=f"{text}"[:64], approved_at=at, sequence=Approval.objects.count() + 1, chain="0",
    )  # fmt: skip
    return Delivery.objects.create(
        workspace=cast.workspace, conversation=row, channel=row.channel, approval=approval, state=state, queued_at=at,
        idempotency_key=f"key-{approval.pk}", next_try_at=at, sent_at=at if state == "sent" else None,
    )  # fmt: skip


@pytest.fixture
def long(cast: Any, complaint: Any, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Posts of a thread of which only the newest two are read."""
    from rapport.store.models import Post
    from rapport.web.inbox import conversation

    monkeypatch.setattr(conversation, "NEWEST", 2)
    posts = [add(cast, complaint, f"word {number}", now, number) for number in range(1, 7)]
    return [Post.objects.of(cast.workspace).exclude(pk__in=[post.pk for post in posts]).get(), *posts]


def test_what_belongs_to_the_time_before_is_shown_with_it_but_for_what_still_waits(
    cast: Any, enter: Any, complaint: Any, now: dt.datetime, long: list[Any]
) -> None:
    from rapport.store.models import Note

    early = now + dt.timedelta(minutes=2, seconds=5)
    Note.objects.create(workspace=cast.workspace, conversation=complaint, author=cast.ben, text="an old note", at=early)
    for state in ("sent", "held", "failed", "unconfirmed", "cancelled"):
        delivered(cast, complaint, long[1], state, early, f"a reply {state}")
    client = enter(cast.alice)
    page = shown(client, complaint)
    for words in ("word 5", "word 6", "a reply held", "a reply failed", "a reply unconfirmed"):
        assert words in page
    for words in ("word 4", "an old note", "a reply sent", "a reply cancelled"):
        assert words not in page
    assert "Show 6 earlier entries" in page  # five posts and the note
    whole = shown(client, complaint, data={"earlier": "all"})
    for words in ("word 1", "an old note", "a reply sent", "a reply held"):
        assert words in whole


def test_an_earlier_post_is_answered_and_an_earlier_draft_knows_what_came_since(
    cast: Any, enter: Any, complaint: Any, now: dt.datetime, long: list[Any]
) -> None:
    from rapport.store.models import Draft

    client = enter(cast.alice)
    assert f'name="target" value="{long[2].pk}"' in shown(client, complaint, data={"to": long[2].pk})
    assert f'name="target" value="{long[-1].pk}"' in shown(client, complaint)
    Draft.objects.create(
        workspace=cast.workspace, conversation=complaint, author=cast.alice, text="I began", based_on=long[2],
        updated_at=now,
    )  # fmt: skip
    assert "They wrote 4 times since this draft" in shown(client, complaint)


def test_their_last_word_is_found_under_many_of_ours(
    cast: Any, enter: Any, complaint: Any, now: dt.datetime, long: list[Any]
) -> None:
    for post in long[2:]:
        post.ours = True
        post.save()
    assert f'name="target" value="{long[1].pk}"' in shown(enter(cast.alice), complaint)


def test_shares_take_no_place_from_what_was_said(
    cast: Any, enter: Any, complaint: Any, now: dt.datetime, long: list[Any]
) -> None:
    for number in range(20, 26):
        add(cast, complaint, "", now, number, kind="repost")
    page = shown(enter(cast.alice), complaint)
    assert "word 5" in page
    assert "word 6" in page
    assert "Shared by" in page


def test_what_decided_is_told_also_where_it_is_not_on_the_page(
    cast: Any, enter: Any, complaint: Any, long: list[Any]
) -> None:
    assert complaint.decided_by == long[0].pk
    page = shown(enter(cast.alice), complaint)
    assert "What decided (rules, version" in page


def test_many_rules_that_did_not_match_are_brought_when_somebody_asks(
    cast: Any, enter: Any, complaint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.web.inbox import conversation

    client = enter(cast.alice)
    monkeypatch.setattr(conversation, "STEPS_AT_ONCE", 100)
    whole = unescape(shown(client, complaint))
    steps = re.findall(r"<code>(.*?)</code>", whole[whole.index('class="passed"') :])
    assert steps
    monkeypatch.setattr(conversation, "STEPS_AT_ONCE", 0)
    page = unescape(shown(client, complaint))
    assert steps[-1] not in page
    assert f'hx-get="{here(complaint, "why/")}"' in page
    part = client.get(here(complaint, "why/"), headers=HTMX).content.decode()
    assert re.findall(r"<code>(.*?)</code>", unescape(part)) == steps
    assert "<html" not in part
    alone = client.get(here(complaint, "why/")).content.decode()
    assert "<html" in alone
    assert re.findall(r"<code>(.*?)</code>", unescape(alone)) == steps


def test_notes_stand_between_the_posts_by_time(cast: Any, enter: Any, complaint: Any, now: dt.datetime) -> None:
    from rapport.store.models import Note

    add(cast, complaint, "the later post", now, 10)
    Note.objects.create(
        workspace=cast.workspace,
        conversation=complaint,
        author=cast.lea,
        text="the note",
        at=now + dt.timedelta(minutes=5),
    )
    page = shown(enter(cast.alice), complaint)
    thread = page[page.index('id="thread"') :]
    thread = unmarked(thread)
    assert thread.index("left in the rain") < thread.index("the note") < thread.index("the later post")


@pytest.mark.parametrize(
    "evil", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "'\"><svg/onload=alert(1)>"]
)
def test_nothing_by_strangers_becomes_markup(
    cast: Any, enter: Any, complaint: Any, now: dt.datetime, evil: str
) -> None:
    from rapport.store.models import Conversation, Handle, Note, Person, Post

    add(cast, complaint, evil, now, 1)
    Post.objects.of(cast.workspace).update(
        extra=json.dumps({"media": [{"kind": evil, "url": "https://a.example", "alt": evil}]})
    )
    Handle.objects.of(cast.workspace).update(handle=evil[:80], name=evil, bio=evil, url=f"javascript:{evil}")
    Person.objects.of(cast.workspace).update(name=evil, about=evil, suppressed_reason=evil)
    Conversation.objects.of(cast.workspace).update(preview=evil, why=evil)
    Note.objects.create(workspace=cast.workspace, conversation=complaint, author=cast.lea, text=evil, at=now)
    client = enter(cast.alice)
    pages = [shown(client, complaint), client.get(f"/w/fernway/people/{complaint.person_id}/").content.decode()]
    for page in pages:
        assert evil not in page
        assert "javascript:" not in page
        assert "<img" not in page


def test_a_merged_conversation_leads_to_the_one_that_lives(cast: Any, enter: Any, complaint: Any, many: Any) -> None:
    gone = many(1, state="merged", merged_into=complaint.pk)[0]
    assert enter(cast.alice).get(here(gone)).headers["Location"] == here(complaint)


def test_what_is_typed_on_a_page_of_a_merged_conversation_is_meant_for_the_one_that_lives(
    cast: Any, enter: Any, complaint: Any, hear: Any, make_post: Any
) -> None:
    from rapport.store.models import Basket, Conversation, Delivery, DeskEvent, Draft, Note, Post

    hear(make_post("And my lamp is broken too", id="lamp", author="nadia"))
    gone = Conversation.objects.exclude(pk=complaint.pk).get()
    Conversation.objects.update(basket=complaint.basket)
    target, version = Post.objects.get(external_id="lamp").pk, gone.version
    client, words = enter(cast.amir), "Sorry about the lamp, Nadia. A new one leaves today."
    client.post(here(gone, "draft"), {"text": words})
    first = Post.objects.get(conversation_id=complaint.pk).external_id
    hear(make_post("Both of these!", id="both", author="nadia", in_reply_to=first, thread="lamp"))
    assert Conversation.objects.get(pk=gone.pk).merged_into == complaint.pk
    assert gone.pk in DeskEvent.objects.filter(kind="conversations").latest("pk").payload["conversations"]
    assert client.post(here(gone, "draft"), {"text": f"{words} Ok?"}).status_code == 200
    client.post(here(gone, "note"), {"note": "She called twice"})
    assert Draft.objects.get().conversation == Note.objects.get().conversation == complaint
    # nobody has read there what it says now; the words wait in the box
    typed = {"text": words, "target": target, "channel": gone.channel_id, "version": version}
    sent = client.post(here(gone, "send"), typed)
    assert sent.status_code == 409
    assert f"{words}</textarea>" in sent.content.decode()
    assert not Delivery.objects.exists()
    # and within sight alone
    Conversation.objects.filter(pk=complaint.pk).update(basket=Basket.objects.of(cast.workspace).get(slug="praise"))
    assert client.post(here(gone, "draft"), {"text": "x"}).status_code == 404
    assert client.get(here(gone)).status_code == 404


@pytest.mark.parametrize("posts", [1, 60])
def test_a_conversation_costs_the_same_queries_however_long(
    cast: Any, enter: Any, complaint: Any, now: dt.datetime, posts: int, django_assert_max_num_queries: Any
) -> None:
    for number in range(posts):
        add(cast, complaint, f"word {number}", now, number + 1, in_reply_to="x")
    client = enter(cast.alice)
    shown(client, complaint)
    # three to know who asks, five for the frame, six for the list, the rest for thread, person, composer, images;
    # of a long thread how many there are, who is answered above, what decided; one more where the thresholds that this
    # process keeps for a second have just grown old
    with django_assert_max_num_queries(35):
        shown(client, complaint)


def test_assign_to_me_to_a_colleague_and_back(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    for wanted, owner in (("me", cast.amir), (str(cast.lea.pk), cast.lea), ("", None)):
        response = client.post(here(complaint, "assign"), {"assignee": wanted}, headers=HTMX)
        assert response.status_code == 200
        complaint.refresh_from_db()
        assert complaint.assignee == owner


def test_a_conversation_cannot_be_given_to_somebody_elsewhere(cast: Any, enter: Any, complaint: Any) -> None:
    for stranger in (cast.charlie, cast.fred):
        assert enter(cast.amir).post(here(complaint, "assign"), {"assignee": stranger.pk}).status_code == 404


def test_resolve_and_reopen(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    response = client.post(here(complaint, "resolve"), headers=HTMX)
    complaint.refresh_from_db()
    assert complaint.state == "resolved"
    assert json.loads(response.headers["HX-Trigger"])["desk-changed"]["say"] == "Resolved."
    client.post(here(complaint, "reopen"), headers=HTMX)
    complaint.refresh_from_db()
    assert complaint.state == "open"


def test_without_scripts_a_change_leads_back_to_the_page(cast: Any, enter: Any, complaint: Any) -> None:
    response = enter(cast.amir).post(here(complaint, "resolve") + "?b=care&tab=mine")
    assert response.status_code == 303
    assert response.headers["Location"] == here(complaint) + "?b=care&tab=mine"


def test_tomorrow_morning_is_the_morning_of_the_person(cast: Any, enter: Any, complaint: Any) -> None:
    import zoneinfo

    from django.utils import timezone

    cast.amir.user.timezone = "Asia/Tokyo"
    cast.amir.user.save()
    enter(cast.amir).post(here(complaint, "snooze"), {"until": "tomorrow"}, headers=HTMX)
    complaint.refresh_from_db()
    local = timezone.localtime(complaint.snoozed_until, zoneinfo.ZoneInfo("Asia/Tokyo"))
    assert (local.hour, local.minute) == (9, 0)
    assert complaint.state == "snoozed"


@pytest.mark.parametrize("at", ["", "never", "2001-01-01T00:00", "9999-12-31T23:59"])
def test_a_snooze_without_a_sensible_time_is_refused(cast: Any, enter: Any, complaint: Any, at: str) -> None:
    response = enter(cast.amir).post(here(complaint, "snooze"), {"until": "date", "at": at})
    assert response.status_code == 400
    complaint.refresh_from_db()
    assert complaint.state == "open"


def test_moving_out_of_sight_leads_to_the_list(cast: Any, enter: Any, complaint: Any) -> None:
    response = enter(cast.amir).post(here(complaint, "move"), {"basket": "sales"}, headers=HTMX)
    assert response.headers["HX-Redirect"] == "/w/fernway/"
    complaint.refresh_from_db()
    assert complaint.basket.slug == "sales"


def test_an_outsourced_agent_knows_no_other_baskets(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.rita)
    assert 'name="basket" value="sales"' not in shown(client, complaint)
    assert client.post(here(complaint, "move"), {"basket": "sales"}).status_code == 404


def test_a_note_is_added_and_an_empty_one_refused(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.ada)
    part = client.post(here(complaint, "note"), {"note": "mind the depot"}, headers=HTMX).content.decode()
    assert "mind the depot" in part
    answer = client.post(here(complaint, "note"), {"note": "  "}, headers=HTMX)
    assert answer.status_code == 204
    assert "empty" in json.loads(answer.headers["HX-Trigger"])["desk-problem"]["say"]


def test_a_viewer_sees_no_buttons_and_can_do_nothing(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.vera)
    page = shown(client, complaint)
    assert 'id="reply-text"' not in page
    assert 'data-menu="a"' not in page
    for act in ("assign", "snooze", "resolve", "reopen", "move", "note", "draft", "send", "propose", "retry", "cancel"):
        assert client.post(here(complaint, act)).status_code == 403


def test_single_keys_are_off_for_those_who_do_not_want_them(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.alice)
    assert 'data-shortcuts="on"' in shown(client, complaint)
    cast.alice.user.shortcuts = False
    cast.alice.user.save()
    assert 'data-shortcuts="off"' in shown(client, complaint)


@pytest.mark.parametrize(
    ("day", "offered"), [(21, ["hour", "tomorrow", "week", "reply"]), (22, ["hour", "tomorrow", "reply"])]
)
def test_no_time_is_offered_twice(day: int, offered: list[str]) -> None:
    from rapport.web.inbox.conversation import snooze_choices

    assert [value for value, _, _ in snooze_choices(dt.datetime(2026, 11, day, 12, tzinfo=dt.UTC))] == offered


def test_a_note_that_arrives_twice_is_one_note(cast: Any, enter: Any, complaint: Any) -> None:
    from rapport.store.models import AuditEntry, Note

    amir = enter(cast.amir)
    address = f"/w/fernway/c/{complaint.pk}/note"
    for _ in range(2):
        assert amir.post(address, {"note": "Called her", "key": "k" * 24}).status_code == 303
    assert Note.objects.get().text == "Called her"
    assert AuditEntry.objects.filter(verb="conversation.note").count() == 1
    enter(cast.lea).post(address, {"note": "So did I", "key": "k" * 24})
    amir.post(address, {"note": "Called her", "key": "m" * 24})
    amir.post(address, {"note": "Called her"})
    assert Note.objects.count() == 4
    page = amir.get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    assert 'name="key" value="' in page
