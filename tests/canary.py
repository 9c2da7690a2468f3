"""A person whose every word holds a word that nobody else says, and a look through the whole database for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
from django.db import connection

from conftest import NOON
from rapport.core.post import Author, Media, Post

#: in everything that is said by, to or of the person
CANARY = "xqkanarie"
ID, HANDLE, NAME = f"id-{CANARY}", f"{CANARY}_h", "Xqkanarie Vogel"
SHARED = "900"


def author(**fields: Any) -> Author:
    base = Author(
        id=ID, handle=HANDLE, name=NAME, url=f"https://{CANARY}.example/", bio=f"I am {CANARY}", followers=7, bot=False
    )
    return msgspec.structs.replace(base, **fields)


def plant(alice: Any, channel: Any, hear: Callable[..., Any], make_post: Callable[..., Post], bus: Any) -> Any:
    """Let the person speak, be answered, noted, joined, corrected, offered, asked and sued for; returns their row."""
    from rapport.actions import (
        consents,
        corrections,
        desk,
        drafts,
        hearing,
        listening,
        outbound,
        people,
        person_fields,
        person_notes,
        tags,
        tasks,
        webhooks,
    )
    from rapport.store.models import BusMessage, Conversation, Handle, Person
    from rapport.store.models import Post as Row
    from rapport.store.queries.outbound import newest_inbound

    listening.save_topic(alice, "", "Parcels", "parcel", now=NOON)
    mine = author()
    hear(
        make_post(
            f"My {CANARY} parcel is broken and nobody answers, @fernway!", id=f"1-{CANARY}", author=mine,
            url=f"https://m.example/{CANARY}/1", media=(Media(url=f"https://m.example/{CANARY}.png", alt=CANARY),),
            html=f"<p>{CANARY}</p>", mentions=("fernway", CANARY), hashtags=(CANARY,),
        ),
        make_post("A word of somebody else in a thread of theirs", id=SHARED, author="olga"),
    )  # fmt: skip
    hear(
        make_post(f"The {CANARY} shoes never came here either", id=f"2-{CANARY}", author=mine, in_reply_to=SHARED),
        make_post("Same here with the parcel", id="901", author="olga", in_reply_to=f"2-{CANARY}", thread=SHARED),
        make_post(f"The {CANARY} shoes never came here either", id="902", author="passer", kind="repost",
                  in_reply_to=f"2-{CANARY}"),
        make_post(f"RT: my {CANARY} parcel", id=f"3-{CANARY}", author=mine, network="mastodon", kind="post"),
    )  # fmt: skip
    hear(make_post(f"Nothing to see, {CANARY} was here", id=f"4-{CANARY}", author=mine))
    hearing.take_down(channel, [f"4-{CANARY}"], now=NOON)
    person = Person.objects.get(name=NAME)
    own = Conversation.objects.get(pk=Row.objects.get(external_id=f"1-{CANARY}").conversation_id)
    shared = Conversation.objects.get(pk=Row.objects.get(external_id=SHARED).conversation_id)
    for talk in (own, shared):
        target = Row.objects.filter(conversation_id=talk.pk, handle__person=person).order_by("-pk").first()
        assert target is not None
        version = Conversation.objects.get(pk=talk.pk).version
        drafts.save_draft(alice, talk, f"A draft that says {CANARY}", now=NOON)
        outbound.approve(
            alice, talk, f"@{HANDLE} We look for your {CANARY} number {talk.pk} and write to you on the {talk.pk}th.",
            target=target, channel=channel, version=version, now=NOON + dt.timedelta(hours=talk.pk),
        )  # fmt: skip
        drafts.save_draft(alice, talk, f"Another draft that says {CANARY}", now=NOON)
        desk.add_note(alice, talk, f"They said {CANARY} twice on the phone", now=NOON)
        tags.add_tag(alice, talk, "parcel", now=NOON)
        tasks.make_task(alice, f"Call about {CANARY}", conversation=talk, now=NOON)
    desk.add_note(alice, shared, "Olga is a customer since 2019", now=NOON)
    olga = Row.objects.get(external_id="901")
    outbound.approve(
        alice, shared, f"@olga We wrote to {NAME} already, and look for yours besides.", target=olga, channel=channel,
        version=Conversation.objects.get(pk=shared.pk).version, now=NOON + dt.timedelta(days=2),
    )  # fmt: skip
    ours = Author(id="id-fernway", handle="fernway", name="Fernway", ours=True)
    hear(make_post(f"@{HANDLE} We look for your {CANARY}", id="903", author=ours, in_reply_to=f"2-{CANARY}"))
    person_notes.add_person_note(alice, person, f"Rings as {CANARY} at noon", now=NOON)
    field = person_fields.save_field(alice, "Customer number", "text", now=NOON)
    person_fields.set_value(alice, person, field, f"{CANARY}-4711", now=NOON)
    consents.set_consent(alice, person, "survey", True, f"mail of {CANARY}", now=NOON)
    corrections.correct(alice, Row.objects.get(external_id=f"1-{CANARY}"), "sentiment", "neutral", now=NOON)
    other = Person.objects.create(workspace=alice.workspace, name=f"Second {CANARY}", first_seen=NOON, last_seen=NOON)
    Handle.objects.create(
        workspace=alice.workspace, person=other, network="bluesky", external_id=f"did:plc:{CANARY}", handle=HANDLE
    )
    people.join_people(alice, person, other, f"The profile of {CANARY} says so", now=NOON)
    people.ignore_person(alice, person, f"{CANARY} is a pest", now=NOON)
    people.suppress_person(alice, person, f"{CANARY} wrote stop", now=NOON)
    hook, _ = webhooks.add_webhook(alice, "crm", "https://crm.example/in", now=NOON)
    post = make_post(f"Told of {CANARY}", author=mine)
    webhooks._queue(hook, webhooks.tell("Storm", hook, own, post, NOON), NOON)
    hearing.hear(
        channel,
        [make_post(f"On its way: {CANARY}", id=f"5-{CANARY}", author=mine), make_post("And another", id="904")],
        bus, now=NOON,
    )  # fmt: skip
    BusMessage.objects.update(state="quarantined", error=f"broke on {CANARY}")
    assert newest_inbound(shared) is not None
    _plant_rows(alice.workspace, person, own, shared)
    return Person.objects.get(pk=person.pk)


def _plant_rows(workspace: Any, person: Any, own: Any, shared: Any) -> None:
    """Rows whose acts need more than a test of erasures should set up."""
    from rapport.store import models
    from rapport.store.models import Post as Row

    given: dict[str, Any] = {"workspace": workspace}
    member = models.Membership.objects.get(workspace=workspace, role="owner")
    broken = Row.objects.get(external_id=f"1-{CANARY}")
    models.RuleDay.objects.create(
        rule="Storm", day=NOON.date(), last_at=NOON, broken_post=broken.pk, error=f"cannot count '{CANARY}'", **given
    )
    token = models.ApiToken.objects.create(membership=member, name="import", digest="t" * 64, created_at=NOON, **given)
    models.KeptAnswer.objects.create(
        token=token, key="k", digest="d", body=f'{{"new":1,"author":"{ID}"}}', created_at=NOON, **given
    )
    models.BrandHandle.objects.create(network="mastodon", key=ID, name=NAME, at=NOON, **given)
    survey = models.Survey.objects.create(slug="csat", name="How was it?", changed_at=NOON, **given)
    asked = models.Invitation.objects.create(
        survey=survey, conversation=shared, person=person, digest="i" * 64, made_at=NOON, expires_at=NOON, **given
    )
    models.SurveyAnswer.objects.create(invitation=asked, score=1, answers=[f"{CANARY}!"], at=NOON, **given)
    campaign = models.Campaign.objects.create(name="Parcels", at=NOON, **given)
    for talk in (own, shared):
        post = Row.objects.filter(conversation_id=talk.pk, handle__person=person).order_by("pk").first()
        assert post is not None
        about: dict[str, Any] = {"conversation": talk, **given}
        models.Offer.objects.create(
            person=person, what="refund", amount="5", currency="EUR", state="agreed", reason=f"for {CANARY}",
            outcome=f"{CANARY} has it", at=NOON, **about,
        )  # fmt: skip
        models.DraftVersion.objects.create(author=member, text=f"Was: {CANARY}", source="own", at=NOON, **about)
        models.DraftReturn.objects.create(author=member, text=f"No {CANARY}", reason=f"Too {CANARY}", at=NOON, **about)
        models.Notification.objects.create(
            membership=member, event="rule", bundle=f"rule:{talk.pk}", text=f"{NAME}: {CANARY}", first_at=NOON,
            last_at=NOON, **about,
        )  # fmt: skip
        models.RuleEffect.objects.create(
            post=post.pk, rule="Storm", verb="note", argument=f"said {CANARY}", level="propose", state="proposed",
            at=NOON, **about,
        )  # fmt: skip
        models.Acknowledgement.objects.create(post=post.pk, text=f"@{HANDLE} A person reads this.", at=NOON, **about)
        models.CampaignPost.objects.create(campaign=campaign, post=post, text=f"Dear {CANARY}", **about)
        models.Escalation.objects.create(
            person=person, post=post.pk, step="first", rule="Storm", at=NOON, note=f"spoke with {CANARY}", **about
        )
        models.Attachment.objects.create(
            by=member, digest="a" * 64, stored=f"{talk.pk:032x}", mime="image/png", width=1, height=1, size=1,
            alt=f"A shoe of {CANARY}", at=NOON, **about,
        )  # fmt: skip
    way = models.Delivery.objects.filter(conversation=own).first()
    assert way is not None
    models.Delivery.objects.update(cause=f"{CANARY} blocks us", url=f"https://m.example/{CANARY}/9")
    models.Attempt.objects.create(delivery=way, fence=1, step="failed", detail=f"{CANARY}: 404", at=NOON, **given)
    models.DeliveryPart.objects.create(delivery=way, number=1, key="p", external_id=f"{CANARY}-9", **given)


def places(word: str = CANARY) -> set[str]:
    """Every column of every table, the parts of the search's index among them, that holds the word: "table.column"."""
    found = set()
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        # the index of the search cannot be read as a table; the tables that it is made of can
        for table in (name for name in tables if not name.endswith("_words")):
            for column in connection.introspection.get_table_description(cursor, table):
                if _holds(cursor, table, column.name, word):
                    found.add(f"{table}.{column.name}")
    return found


def _holds(cursor: Any, table: str, column: str, word: str) -> bool:
    if connection.vendor == "postgresql":
        cursor.execute(f'SELECT "{column}"::text FROM "{table}" WHERE "{column}" IS NOT NULL')
        if not hasattr(cursor, "fetchall"):
            return False
        return any(word in each[0].lower() or word.encode().hex() in each[0] for each in cursor.fetchall())
    cursor.execute(f'SELECT "{column}" FROM "{table}"')
    for (value,) in cursor.fetchall():
        if isinstance(value, (bytes, memoryview)) and word.encode() in bytes(value).lower():
            return True
        if isinstance(value, str) and word in value.lower():
            return True
    return False
