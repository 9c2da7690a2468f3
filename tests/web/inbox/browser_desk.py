"""Fills a fresh data folder for the browser tests; run as a script with RAPPORT_DATA and a password.

With `join FIRST SECOND` instead, a late post connects the threads of these two posts.

Alice (owner) and Ben (agent) work at Fernway; eight people complained, one after the other. In Sales, five say nearly
the same: one entry with four near-copies.
"""

import datetime as dt
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")

django.setup()


def main(password: str) -> None:
    from django.core.management import call_command
    from django.utils import timezone

    from rapport.actions.accounts import create_workspace, invite
    from rapport.actions.hearing import hear
    from rapport.actions.listening import connect_channel
    from rapport.bus.table import TableBus
    from rapport.core.post import Author, Post
    from rapport.pipeline.worker import Worker
    from rapport.store.models import Basket, Conversation, Membership, User

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    now = timezone.now()
    owner = User.objects.create_user("alice@fernway.example", password, name="Alice Moor")
    workspace = create_workspace(owner, "Fernway", now=now)
    alice = Membership.objects.get(user=owner)
    ben, _ = invite(alice, "ben@fernway.example", "Ben Noll", "agent", list(Basket.objects.of(workspace)), now=now)
    ben.user.set_password(password)
    ben.user.save()
    channel = connect_channel(
        alice, "mastodon", server="https://fern.example", handle="fernway@fern.example", external_id="1",
        name="Fernway", token="not a token", now=now,
    )  # fmt: skip
    bus = TableBus()
    posts = [
        Post(
            network="mastodon", id=str(number), created_at=now - dt.timedelta(minutes=5 * number),
            text=f"Parcel left in the rain: my {what}. I am angry. Where is my refund for the {what}? @fernway",
            author=Author(id=f"p{number}", handle=f"person{number}@example.social", name=f"Person {number}"),
        )
        for number, what in enumerate(["lamp", "kettle", "coat", "shoes", "clock", "radio", "chair", "books"], start=1)
    ]  # fmt: skip
    wave = "The power of the whole street went out and nobody answers the phone at Fernway"
    said = (wave, f"{wave}!!", f"{wave} https://fern.example/1", f"{wave} ...", f"{wave} #fernway")
    posts += [
        Post(
            network="mastodon", id=f"wave-{number}", created_at=now - dt.timedelta(minutes=50 - 5 * number), text=text,
            author=Author(id=f"w{number}", handle=f"{name.lower()}@example.social", name=name),
        )
        for number, (text, name) in enumerate(zip(said, ["Nadia", "Omar", "Pia", "Quentin", "Rosa"], strict=True))
    ]  # fmt: skip
    hear(channel, posts, bus, now=now)
    Worker(bus, timezone.now, dt.timedelta(seconds=60)).drain()
    baskets = {basket.slug: basket for basket in Basket.objects.of(workspace)}
    rows = Conversation.objects.of(workspace)
    rows.filter(person__name__startswith="Person ").update(basket=baskets["care"])
    rows.exclude(person__name__startswith="Person ").update(basket=baskets["sales"])


def join(first: str, second: str) -> None:
    from django.utils import timezone

    from rapport.actions.hearing import hear
    from rapport.bus.table import TableBus
    from rapport.core.post import Author, Post
    from rapport.pipeline.worker import Worker
    from rapport.store.models import Channel

    bus = TableBus()
    post = Post(
        network="mastodon", id=f"{first}+{second}", created_at=timezone.now(), text="Both of these, @fernway!",
        kind="reply", in_reply_to=first, thread=second, author=Author(id=f"p{second}", handle="both@example.social"),
    )  # fmt: skip
    hear(Channel.objects.get(), [post], bus, now=timezone.now())
    Worker(bus, timezone.now, dt.timedelta(seconds=60)).drain()


if __name__ == "__main__":
    join(*sys.argv[2:]) if sys.argv[1] == "join" else main(sys.argv[1])
