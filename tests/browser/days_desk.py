"""Fills a fresh data folder for the days of test_days.py; run as a script with RAPPORT_DATA set.

stdin: JSON {"password", "server", "token", "account", "said": [[basket, id, account id, handle, text], ...]}, the posts
being there on the Mastodon server already. Lea leads, Amir answers in Care, Noor in every basket, Rita is of another
firm and works in Questions alone.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from decimal import Decimal
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")

django.setup()


def hire(alice: Any, password: str, now: dt.datetime) -> dict[str, Any]:
    """The people of the days, by first name."""
    from rapport.actions.accounts import invite
    from rapport.store.models import Basket

    every = list(Basket.objects.of(alice.workspace))
    roles = {
        "Lea Brandt": ("lead", every), "Noor Haddad": ("agent", every),
        "Amir Sade": ("agent", [each for each in every if each.slug == "care"]),
        "Rita Voss": ("restricted", [each for each in every if each.slug == "questions"]),
    }  # fmt: skip
    found = {}
    for name, (role, baskets) in roles.items():
        first = name.split()[0]
        member, _ = invite(alice, f"{first.lower()}@fernway.example", name, role, baskets, now=now)
        member.user.set_password(password)
        member.user.save()
        found[first] = member
    return found


def hear_posts(channel: Any, said: list[list[str]], now: dt.datetime) -> dict[str, Any]:
    """Through the whole line, then each into the basket that its day needs; conversations by id of the post."""
    from django.utils import timezone

    from rapport.actions.hearing import hear
    from rapport.bus.table import TableBus
    from rapport.core.post import Author, Post
    from rapport.pipeline.worker import Worker
    from rapport.store.models import Basket, Conversation
    from rapport.store.models import Post as StoredPost

    bus = TableBus()
    posts = [
        Post(
            network="mastodon", id=number, text=text, created_at=now - dt.timedelta(minutes=90 - place),
            visibility="public",
            author=Author(id=account, handle=handle, name=handle.title()), mentions=("fernway",),
        )
        for place, (_, number, account, handle, text) in enumerate(said)
    ]  # fmt: skip
    hear(channel, posts, bus, now=now)
    Worker(bus, timezone.now, dt.timedelta(seconds=60)).drain()
    baskets = {each.slug: each for each in Basket.objects.of(channel.workspace)}
    found = {}
    for basket, number, *_ in said:
        pk = StoredPost.objects.of(channel.workspace).get(external_id=number).conversation_id
        row = Conversation.objects.of(channel.workspace).get(pk=pk)
        row.basket, row.state = baskets[basket], "open"
        row.save()
        found[number] = row
    return found


def furnish(lea: Any, rita: Any, asked: list[Any], now: dt.datetime) -> None:
    """What leads set up long ago (a survey, what each role may offer), and what Rita asks to be sent."""
    from rapport.actions.articles import save_allowance
    from rapport.actions.drafts import propose_draft, save_draft
    from rapport.actions.surveys import save_survey
    from rapport.core.surveys import Question

    save_survey(lea, None, name="How was it?", questions=[Question(kind="score", text="How was it?")], now=now)
    save_allowance(lea, "agent", "voucher", Decimal(20), "EUR", now=now)
    words = ("Yes, we do, it takes four days.", "It weighs less then two kilos.", "Ask them yourself.")
    for row, text in zip(asked, words, strict=True):
        row.refresh_from_db()
        save_draft(rita, row, text, now=now)
        propose_draft(rita, row, now=now)


def main(given: dict[str, Any]) -> None:
    from django.utils import timezone

    from rapport.actions.accounts import create_workspace
    from rapport.actions.listening import connect_channel
    from rapport.store.models import Membership, User

    now = timezone.now()
    owner = User.objects.create_user("alice@fernway.example", given["password"], name="Alice Moor")
    alice = Membership.objects.get(workspace=create_workspace(owner, "Fernway", now=now))
    people = hire(alice, given["password"], now)
    channel = connect_channel(
        alice, "mastodon", server=given["server"], handle="fernway", external_id=given["account"], name="Fernway",
        token=given["token"], now=now,
    )  # fmt: skip
    rows = hear_posts(channel, given["said"], now)
    asked = [rows[number] for basket, number, *_ in given["said"] if basket == "questions"][:3]
    furnish(people["Lea"], people["Rita"], asked, now)


if __name__ == "__main__":
    main(json.load(sys.stdin))
