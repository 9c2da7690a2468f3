"""Fills a desk for the live clients and then works in it; run as a script with RAPPORT_DATA set.

Prints one JSON line of who can sign in with which session, then one line for each change as soon as it is committed:
its tag and its basket. A change is a tag that no other change puts on, so that a list shows whether it was read since.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")

django.setup()

TALKS = 40  # in each basket: fewer than a page of the list, so that every one is on every page


def main(seconds: float, pace: float) -> None:
    """Work for so many seconds, `pace` changes a second; begins when a line comes on standard input."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.utils import timezone

    from rapport.actions.accounts import create_workspace, invite
    from rapport.actions.listening import connect_channel
    from rapport.actions.tags import add_tag
    from rapport.store.models import Basket, Conversation, Membership, Person, User

    now = timezone.now()
    owner = User.objects.create_user("alice@fernway.example", None, name="Alice Moor")
    workspace = create_workspace(owner, "Fernway", now=now)
    alice = Membership.objects.get(user=owner)
    channel = connect_channel(
        alice, "mastodon", server="https://fern.example", handle="fernway", external_id="1", name="Fernway",
        token="not a token", now=now,
    )  # fmt: skip
    baskets = {slug: Basket.objects.of(workspace).get(slug=slug) for slug in ("care", "sales")}
    seats = [(alice, "care"), (alice, "sales")]
    for number in range(8):
        slug = ("care", "sales")[number % 2]
        seats.append((invite(alice, f"a{number}@f.example", f"A{number}", "agent", [baskets[slug]], now=now)[0], slug))
    talks = {
        slug: [
            Conversation.objects.create(
                workspace=workspace, network="mastodon", channel=channel, basket=basket, state="open",
                person=Person.objects.create(workspace=workspace, name=f"P{at}", first_seen=now, last_seen=now),
                waiting_since=now, last_post_at=now, preview=f"Words {at}",
            )
            for at in range(TALKS)
        ]
        for slug, basket in baskets.items()
    }  # fmt: skip
    told = []
    for member, slug in seats:
        session = SessionStore()
        session[SESSION_KEY], session[BACKEND_SESSION_KEY] = (
            str(member.user.pk),
            "allauth.account.auth_backends.AuthenticationBackend",
        )
        session[HASH_SESSION_KEY] = member.user.get_session_auth_hash()
        session.create()
        told.append({"session": session.session_key, "basket": slug, "id": baskets[slug].pk})
    print(json.dumps(told), flush=True)
    sys.stdin.readline()
    chance = random.Random(7)
    began = time.monotonic()
    for number in range(int(seconds * pace)):
        slug = chance.choice(["care", "sales"])
        add_tag(alice, talks[slug][number % TALKS], f"change-{number}", now=timezone.now())
        print(json.dumps({"tag": f"change-{number}", "basket": slug}), flush=True)
        time.sleep(max(0.0, began + (number + 1) / pace - time.monotonic()))
    print("{}", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]))
