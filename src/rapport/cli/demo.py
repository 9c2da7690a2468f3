"""`rapport up --demo`: a workspace with an invented brand, its people, their posts and a team at work."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Literal

import msgspec

from rapport.core.errors import RapportError
from rapport.core.post import Author, Kind, Metrics, Post
from rapport.networks.files.entities import find_entities

if TYPE_CHECKING:
    from rapport.store.models import Conversation, Membership, User, Workspace

SLUG, NAME = "fernway", "Fernway (demo)"
TITLES = {"mastodon": "Mastodon", "x": "X", "bluesky": "Bluesky", "trustpilot": "Trustpilot"}
#: nothing leaves a demo: these accounts do not exist
REASON = "demo: this account is invented, nothing is sent from it"


class Voice(msgspec.Struct, frozen=True):
    """One line of `people.jsonl`: an account on one network."""

    key: str
    network: str
    name: str
    handle: str = ""
    followers: int | None = None
    bio: str | None = None
    verified: bool = False
    bot: bool = False
    ours: bool = False


class Line(msgspec.Struct, frozen=True):
    """One line of `posts.jsonl`."""

    id: str
    #: key of who says it
    by: str
    #: minutes before the start of the demo
    ago: int
    text: str
    #: id of the post that it answers
    re: str | None = None
    direct: bool = False
    repost: bool = False
    stars: int | None = None


class Colleague(msgspec.Struct, frozen=True):
    """Somebody in the invented team."""

    key: str
    name: str
    role: str
    baskets: list[str]


class Named(msgspec.Struct, frozen=True):
    """A topic (`query`) or a prepared reply (`text`)."""

    slug: str
    name: str
    query: str = ""
    text: str = ""


class Promised(msgspec.Struct, frozen=True):
    """What a basket of the demo is for, and its promises in minutes for priority low, medium, high and urgent."""

    slug: str
    purpose: str
    first: tuple[int, int, int, int]
    next: tuple[int, int, int, int]


class Rules(msgspec.Struct, frozen=True):
    """Rules that the team wrote: those in force stand before the rule `before`, those of the draft before them."""

    before: str
    text: str
    draft_name: str
    draft_text: str


class Deed(msgspec.Struct, frozen=True):
    """What the team did with the conversation that a post belongs to."""

    post: str
    #: key of a colleague, or "you" for whoever started the demo
    assignee: str | None = None
    state: Literal["resolved"] | None = None
    snooze_hours: int | None = None
    note_by: str | None = None
    note: str = ""
    #: something promised, and in how many hours it is due
    task: str = ""
    task_hours: int = 24


class Desk(msgspec.Struct, frozen=True):
    """`desk.toml`."""

    colleague: list[Colleague]
    topic: list[Named]
    reply: list[Named]
    basket: list[Promised]
    rules: Rules
    conversation: list[Deed]


def read_people() -> dict[str, Voice]:
    """The accounts of the sample by key."""
    decoder = msgspec.json.Decoder(Voice)
    return {voice.key: voice for voice in map(decoder.decode, _sample("people.jsonl").splitlines())}


def read_lines() -> list[Line]:
    """The posts of the sample, oldest first."""
    decoder = msgspec.json.Decoder(Line)
    return sorted(map(decoder.decode, _sample("posts.jsonl").splitlines()), key=lambda line: -line.ago)


def read_desk() -> Desk:
    """The team of the sample and what it has done."""
    return msgspec.convert(tomllib.loads(_sample("desk.toml")), Desk)


def _sample(name: str) -> str:
    return resources.files("rapport.cli.sample").joinpath(name).read_text(encoding="utf-8")


def make_posts(now: dt.datetime) -> list[Post]:
    """The sample as posts, oldest first, told so that the newest was said a few minutes before `now`."""
    people, lines = read_people(), read_lines()
    by_id = {line.id: line for line in lines}
    handles: dict[str, list[str]] = {}
    for voice in people.values():
        if voice.handle:
            handles.setdefault(voice.network, []).append(voice.handle)
    return [_as_post(line, people, by_id, handles, now) for line in lines]


def _as_post(
    line: Line,
    people: Mapping[str, Voice],
    by_id: Mapping[str, Line],
    handles: Mapping[str, Sequence[str]],
    now: dt.datetime,
) -> Post:
    voice = people[line.by]
    entities = find_entities(line.text)
    mentions = [handle for handle in handles.get(voice.network, ()) if f"@{handle}".lower() in line.text.lower()]
    brand = next(each for each in people.values() if each.ours and each.network == voice.network)
    if (line.direct or line.stars is not None) and not voice.ours:
        mentions.append(brand.handle)
    root = line
    while root.re:
        root = by_id[root.re]
    return Post(
        network=voice.network,
        id=line.id,
        text=line.text,
        created_at=now - dt.timedelta(minutes=line.ago),
        author=Author(
            id=f"demo-{voice.key}",
            handle=voice.handle,
            name=voice.name,
            bio=voice.bio,
            followers=voice.followers,
            verified=voice.verified,
            bot=voice.bot,
            ours=voice.ours,
        ),
        kind=_kind(line),
        in_reply_to=line.re,
        thread=root.id if root is not line else None,
        mentions=tuple(mentions),
        hashtags=entities.hashtags,
        links=entities.links,
        metrics=Metrics(replies=sum(each.re == line.id for each in by_id.values())),
        rating=line.stars,
        visibility="direct" if line.direct else "public",
    )


def _kind(line: Line) -> Kind:
    if line.direct:
        return "message"
    if line.repost:
        return "repost"
    if line.stars is not None:
        return "review"
    return "reply" if line.re else "post"


def load_demo(owner: User, now: dt.datetime) -> Workspace:
    """The demo workspace, made when it is missing; one that is there already is left as it is."""
    from rapport.actions.accounts import create_workspace
    from rapport.store.models import Membership, Workspace

    there = Workspace.objects.filter(slug=SLUG).first()
    if there is not None:
        return there
    workspace = create_workspace(owner, NAME, SLUG, now=now - dt.timedelta(days=30))
    desk = read_desk()
    by = Membership.objects.of(workspace).get(user=owner)
    team = _invite_team(by, desk, now)
    _configure(by, desk, now)
    _hear(workspace, now)
    _replay_deeds(by, team, desk, now)
    _try_rules(by, desk.rules, now)
    return workspace


def _invite_team(by: Membership, desk: Desk, now: dt.datetime) -> dict[str, Membership]:
    from rapport.actions.accounts import invite
    from rapport.store.models import Basket

    baskets = {basket.slug: basket for basket in Basket.objects.of(by.workspace)}
    team: dict[str, Membership] = {"you": by}
    for each in desk.colleague:
        chosen = [baskets[slug] for slug in each.baskets]
        # nobody ever signs in as them: the link is dropped
        team[each.key], _ = invite(by, f"{each.key}@fernway.example", each.name, each.role, chosen, now=now)
    return team


def _configure(by: Membership, desk: Desk, now: dt.datetime) -> None:
    from rapport.actions.listening import save_topic
    from rapport.actions.outbound import save_prepared_reply
    from rapport.actions.rules import save_rules

    for topic in desk.topic:
        save_topic(by, topic.slug, topic.name, topic.query, now=now)
    for reply in desk.reply:
        save_prepared_reply(by, reply.slug, reply.name, reply.text, now=now)
    _promise(by, desk, now)
    save_rules(by, _with_rules(desk.rules.before, desk.rules.text), "what we agreed on", now=now)


def _promise(by: Membership, desk: Desk, now: dt.datetime) -> None:
    from rapport.actions.baskets import Wish, save_basket
    from rapport.core.promises import Terms
    from rapport.store.models import Basket

    for each in desk.basket:
        row = Basket.objects.of(by.workspace).get(slug=each.slug)
        terms = Terms(first=each.first, next=each.next)
        save_basket(by, row, Wish(row.name, tone=row.tone, purpose=each.purpose, terms=terms), now=now)


def _with_rules(before: str, text: str) -> str:
    """The shipped rules with these before the one of that name."""
    from rapport.core.rules import default_document
    from rapport.core.rules.edit import find_piece, insert

    document = default_document()
    place = find_piece(document, before)
    assert place is not None, before
    return insert(document, place.number, text)


def _try_rules(by: Membership, rules: Rules, now: dt.datetime) -> None:
    """A draft that is tried on what was said so far; the worker does it as soon as it runs."""
    from rapport.actions.back_tests import ask_back_test
    from rapport.actions.rule_drafts import begin_draft

    draft = begin_draft(by, rules.draft_name, _with_rules(rules.before, f"{rules.draft_text}\n{rules.text}"), now=now)
    ask_back_test(by, draft, now - dt.timedelta(days=30), now, now=now)


def _hear(workspace: Workspace, now: dt.datetime) -> None:
    """Store the posts in the order in which they were said, and let the worker read them."""
    from rapport.actions.hearing import hear
    from rapport.actions.listening import open_file_channel
    from rapport.wiring import make_bus, make_worker

    posts = make_posts(now)
    ours = {voice.network: voice for voice in read_people().values() if voice.ours}
    channels = {}
    for network, title in TITLES.items():
        channel = open_file_channel(workspace, network, network, now=now)
        # an account that nobody connected: no action makes one, because outside a demo there is none
        channel.name, channel.handle = f"Fernway on {title}", ours[network].handle
        channel.external_id, channel.state_reason = f"demo-{ours[network].key}", REASON
        channel.save(update_fields=["name", "handle", "external_id", "state_reason"])
        channels[network] = channel
    # in pieces, so that what somebody said before is known when they speak again
    for start in range(0, len(posts), 50):
        piece = posts[start : start + 50]
        for network, channel in channels.items():
            own = [post for post in piece if post.network == network]
            # as if each had been heard in the hour in which it was said: so the sources have a rhythm to show
            for _, said in itertools.groupby(own, lambda post: post.created_at.replace(minute=0, second=0)):
                heard = list(said)
                last = heard[-1]
                hear(channel, heard, make_bus(), now=last.created_at, stream="sample", cursor=f'"{last.id}"')
        make_worker().drain()


def _replay_deeds(by: Membership, team: Mapping[str, Membership], desk: Desk, now: dt.datetime) -> None:
    said = {line.id: now - dt.timedelta(minutes=line.ago) for line in read_lines()}
    for deed in desk.conversation:
        conversation = _conversation_of(by.workspace, deed.post)
        if conversation is not None:
            # where the readings put a conversation may change: a deed that is not possible there is left out
            with contextlib.suppress(RapportError):
                _replay_deed(by, team, deed, conversation, min(now, said[deed.post] + dt.timedelta(minutes=7)), now)


def _replay_deed(
    by: Membership,
    team: Mapping[str, Membership],
    deed: Deed,
    conversation: Conversation,
    at: dt.datetime,
    now: dt.datetime,
) -> None:
    from rapport.actions.desk import add_note, assign, resolve, snooze
    from rapport.actions.tasks import make_task

    if deed.task:
        due_at = now + dt.timedelta(hours=deed.task_hours)
        make_task(by, deed.task, conversation=conversation, assignee=by, due_at=due_at, now=at)
    if deed.assignee:
        assign(by, conversation, team[deed.assignee], now=at)
    if deed.note_by:
        add_note(team[deed.note_by], conversation, deed.note, now=at)
    if deed.state == "resolved":
        resolve(by, conversation, now=now)
    elif deed.snooze_hours:
        snooze(by, conversation, now + dt.timedelta(hours=deed.snooze_hours), now=now)


def _conversation_of(workspace: Workspace, post: str) -> Conversation | None:
    from rapport.store.models import Conversation
    from rapport.store.models import Post as PostRow

    row = PostRow.objects.of(workspace).filter(external_id=post).first()
    if row is None or row.conversation_id is None:
        return None
    return Conversation.objects.of(workspace).filter(pk=row.conversation_id).first()
