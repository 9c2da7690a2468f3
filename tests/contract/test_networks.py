"""What every network must do, over all of the registry, each against a real server of its kind.

A network that is added to the registry and has no server here fails `test_every_network_is_tried`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email
import email.policy
import hashlib
import inspect
import io
import itertools
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from PIL import Image

import dovecot
import rapport.networks
import reddit_server
import stages
import x_server
from acts_seen import SEEN, STRANGERS
from bluesky import bluesky_network, until
from bluesky import missing as bluesky_missing
from discourse import KEY, forum
from feed_site import entry, feed_site
from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.post import Post, admit
from rapport.core.reply import Act, Picture, Reply
from rapport.networks.base import Account, Grant
from rapport.networks.contract import Network
from rapport.networks.feeds.network import Feeds
from rapport.networks.feeds.parse import post_id
from rapport.networks.folder.network import Folder
from rapport.networks.http import GuardedSession
from rapport.networks.registry import NETWORKS, network_named
from servers import mastodon_server
from stand_in import Call, StandIn, Told
from synapse import MISSING, PYTHON, mxid, synapse

#: those that were started, for tests that look at what reached them
MAIL_SERVERS: list[Any] = []
X_SERVERS: list[Any] = []
DOCS = Path(__file__).parents[2] / "docs"


@dataclass
class Stage:
    """A network with a server, our account on it, and a stranger who can speak to us."""

    network: Network
    account: Account
    session: GuardedSession
    #: says something to us and gives the id of it on the network
    speak: Callable[[str], str]
    #: how many posts of ours answer the post of that id
    answers: Callable[[str], int]
    #: what was read before can be read again from an old cursor
    keeps: bool = True
    #: for those who look at what stands there
    server: Any = None


@contextlib.contextmanager
def mastodon_stage() -> Iterator[Stage]:
    with mastodon_server() as server, GuardedSession(allow={server.authority}) as session:
        account = Account(
            channel=1,
            server=server.url,
            handle=f"brand@{server.authority}",
            account_id=server.ids["brand"],
            token=server.tokens["brand"],
            settings={"domain": server.authority},
        )
        yield Stage(
            NETWORKS["mastodon"],
            account,
            session,
            speak=lambda text: str(server.post("ann", f"@brand {text}")["id"]),
            answers=lambda target: sum(own["in_reply_to_id"] == target for own in server.statuses("brand")),
            server=server,
        )


@contextlib.contextmanager
def discourse_stage() -> Iterator[Stage]:
    with forum() as server, GuardedSession(allow={server.host}) as session:
        topic = server.open_topic("ben", "Trains", "What do you think?")
        account = Account(channel=1, server=server.url, handle=f"brand@{server.host}", account_id="2", token=KEY)

        def answers(target: str) -> int:
            place = int(target.rpartition("/")[2])
            return sum(post["reply_to_post_number"] == place for post in server.posts.values())

        yield Stage(
            NETWORKS["discourse"],
            account,
            session,
            speak=lambda text: server.place(server.add("ann", topic, f"@brand {text}")),
            answers=answers,
            server=server,
        )


@contextlib.contextmanager
def matrix_stage() -> Iterator[Stage]:
    if not PYTHON.exists():
        pytest.skip(MISSING)
    with synapse() as server, GuardedSession(allow={server.authority}) as session:
        room = server.create_room("ann", join=["brand"])
        account = Account(
            channel=1,
            server=server.url,
            handle=mxid("brand").removeprefix("@"),
            account_id=mxid("brand"),
            token=server.tokens["brand"],
        )

        def answers(target: str) -> int:
            relations = (event["content"].get("m.relates_to", {}) for event in server.messages("ann", room))
            return sum(f"{room}/{told.get('m.in_reply_to', {}).get('event_id')}" == target for told in relations)

        yield Stage(
            NETWORKS["matrix"],
            account,
            session,
            speak=lambda text: f"{room}/{server.say('ann', room, text)}",
            answers=answers,
            server=server,
        )


def played(
    name: str, play: Callable[[], contextlib.AbstractContextManager[stages.Played]]
) -> Callable[[], contextlib.AbstractContextManager[Stage]]:
    """A stage of a vendor's API that a small server plays from its documentation."""

    @contextlib.contextmanager
    def build() -> Iterator[Stage]:
        with play() as (server, account, speak, answers), GuardedSession(allow={server.authority}) as session:
            if name == "x":
                X_SERVERS.append(server)
            yield Stage(NETWORKS[name], account, session, speak, answers, server=server)

    return build


@contextlib.contextmanager
def feeds_stage() -> Iterator[Stage]:
    with feed_site() as site, GuardedSession(allow={site.authority}) as session:
        address, said = site.feed("/feed"), list[str]()
        looks = itertools.count(1)

        def speak(text: str) -> str:
            guid = f"tag:{len(said)}"
            said.insert(0, entry(len(said), text, guid=guid, at=dt.datetime.now(dt.UTC)))
            site.feed("/feed", *said)
            return post_id(address, guid)

        yield Stage(
            Feeds(clock=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(hours=next(looks))),  # each look is due
            Account(1, site.url, "site", "feeds-1", "", {"feeds": [address]}),
            session,
            speak=speak,
            answers=lambda _: 0,
        )


@contextlib.contextmanager
def mail_stage() -> Iterator[Stage]:
    if not dovecot.can_run():
        pytest.skip(dovecot.MISSING)
    with dovecot.mail_server() as server, GuardedSession(allow=server.allowed) as session:
        account = server.account()
        MAIL_SERVERS.append(server)

        def answers(target: str) -> int:
            return sum(f"In-Reply-To: <{target}>".encode() in content for _, _, content in server.submitted)

        yield Stage(
            NETWORKS["mail"], account, session, speak=lambda text: server.say(text, account.handle), answers=answers
        )


@contextlib.contextmanager
def folder_stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as root, GuardedSession() as session:
        path = Path(root).resolve()
        numbers = itertools.count(1)

        def speak(text: str) -> str:
            number = next(numbers)
            line = {
                "network": "shop",
                "id": str(number),
                "text": text,
                "created_at": dt.datetime.now(dt.UTC).isoformat(),
                "author": {"handle": "ann"},
            }
            hidden = path / f".{number}.jsonl"
            hidden.write_text(json.dumps(line) + "\n")
            written = time.time() - 60 + number
            os.utime(hidden, (written, written))
            hidden.rename(path / f"{number}.jsonl")
            return f"folder-1:shop/{number}"

        yield Stage(
            Folder(roots=lambda: (path,)),
            Account(1, "", "drop", "folder-1", "", {"folder": str(path)}),
            session,
            speak=speak,
            answers=lambda _: 0,
            keeps=False,  # a file that was read is moved away
        )


@contextlib.contextmanager
def bluesky_stage() -> Iterator[Stage]:
    if reason := bluesky_missing():
        pytest.skip(reason)
    with bluesky_network() as server, GuardedSession(allow=server.allowed) as session:
        brand, ann = server.account("brand"), server.account("ann")
        fields = {"handle": brand.handle, "password": brand.app_password, "server": server.pds}
        connected = NETWORKS["bluesky"].connect(fields, session)
        account = Account(
            channel=1, server=server.pds, handle=brand.handle, account_id=brand.did, token=connected.token
        )

        def speak(text: str) -> str:
            said: str = ann.post(f"@{brand.handle} {text}")["uri"]
            until(lambda: said in brand.notified(), "the app view never told of it")
            return said

        def answers(target: str) -> int:
            told = (record["value"].get("reply", {}) for record in brand.records())
            return sum(each.get("parent", {}).get("uri") == target for each in told)

        yield Stage(NETWORKS["bluesky"], account, session, speak=speak, answers=answers, server=server)


STAGES: dict[str, Callable[[], contextlib.AbstractContextManager[Stage]]] = {
    "bluesky": bluesky_stage,
    "discourse": discourse_stage,
    "facebook": played("facebook", stages.facebook),
    "google_business": played("google_business", stages.google_business),
    "instagram": played("instagram", stages.instagram),
    "feeds": feeds_stage,
    "folder": folder_stage,
    "mail": mail_stage,
    "mastodon": mastodon_stage,
    "matrix": matrix_stage,
    "reddit": played("reddit", reddit_server.reddit),
    "trustpilot": played("trustpilot", stages.trustpilot),
    "x": played("x", x_server.x),
    "youtube": played("youtube", stages.youtube),
}


#: nobody asks these for anything: they bring, which their own tests try
ONLY_BRING = {"webhook"}


def shown_on_mastodon(stage: Stage, sent: str, words: str) -> list[str]:
    status = stage.session.get(
        f"{stage.account.server}/api/v1/statuses/{sent}", headers={"Authorization": f"Bearer {stage.account.token}"}
    ).json()
    assert words in status["content"]
    return [each["description"] for each in status["media_attachments"]]


def shown_on_discourse(stage: Stage, sent: str, words: str) -> list[str]:
    topic, place = sent.split("/")[-2:]
    headers = {"Api-Key": stage.account.token, "Api-Username": "brand"}
    raw = stage.session.get(f"{stage.account.server}/posts/by_number/{topic}/{place}.json", headers=headers).json()[
        "raw"
    ]
    assert raw.startswith(f"{words}\n\n![")
    return re.findall(r"!\[(.*)\]\(upload://", raw)


def shown_on_matrix(stage: Stage, sent: str, words: str) -> list[str]:
    room, _, event = sent.rpartition("/")
    headers = {"Authorization": f"Bearer {Grant.decode(stage.account.token).access}"}
    path = f"{stage.account.server}/_matrix/client/v3/rooms/{quote(room)}/event/{quote(event)}"
    found = stage.session.get(path, headers=headers).json()
    newest = found.get("unsigned", {}).get("m.relations", {}).get("m.replace", found)["content"]
    content = newest.get("m.new_content", newest)
    assert (content["msgtype"], content["body"], content["info"]["w"]) == ("m.image", words, 30)
    place = content["url"].removeprefix("mxc://")
    image = stage.session.get(f"{stage.account.server}/_matrix/client/v1/media/download/{place}", headers=headers)
    assert image.content == a_picture(content["info"]["mimetype"])
    return [""]


def shown_on_bluesky(stage: Stage, sent: str, words: str) -> list[str]:
    repo, collection, key = sent.removeprefix("at://").split("/")
    query = {"repo": repo, "collection": collection, "rkey": key}
    record = stage.session.get(f"{stage.account.server}/xrpc/com.atproto.repo.getRecord", params=query).json()["value"]
    assert record["text"] == words
    assert [each["aspectRatio"]["width"] for each in record["embed"]["images"]] == [30, 30]
    return [each["alt"] for each in record["embed"]["images"]]


def shown_on_x(stage: Stage, sent: str, words: str) -> list[str]:
    post, images = X_SERVERS[-1].posts[sent], X_SERVERS[-1].images
    assert post["text"].startswith(words)
    kept = [images[each] for each in post["attachments"]["media_keys"]]
    assert [each["content"] for each in kept] == [a_picture(each["type"]) for each in kept]
    return [each["alt"] for each in kept]


def shown_in_a_mail(stage: Stage, sent: str, words: str) -> list[str]:
    found = [content for _, _, content in MAIL_SERVERS[-1].submitted if f"<{sent}>".encode() in content]
    message = email.message_from_bytes(found[0], policy=email.policy.default)
    said, *images = message.iter_parts()
    assert said.get_content().strip() == words
    assert [each.get_content() for each in images] == [a_picture(each.get_content_type()) for each in images]
    return [str(each["Content-Description"]) for each in images]


#: the words of the images of a post of ours, as its server tells them
SHOWS: dict[str, Callable[[Stage, str, str], list[str]]] = {
    "bluesky": shown_on_bluesky, "discourse": shown_on_discourse, "mail": shown_in_a_mail,
    "mastodon": shown_on_mastodon, "matrix": shown_on_matrix, "x": shown_on_x,
}  # fmt: skip


#: several servers that take seconds to start: no part of `make check`
SLOW = {"bluesky"}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in sorted(STAGES)],
)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with STAGES[request.param]() as built:
        yield built


def read_all(stage: Stage, cursors: dict[str, str]) -> list[Post]:
    """Everything new in every stream; the cursors move on."""
    posts: list[Post] = []
    for stream in stage.network.streams(stage.account):
        for page in stage.network.pull(stage.account, stream, cursors.get(stream, ""), stage.session):
            assert page.stream == stream
            assert json.loads(page.cursor)
            cursors[stream] = page.cursor
            posts += page.posts
    return posts


def reply_to(stage: Stage, target: str, text: str) -> Reply:
    return Reply(network=stage.network.name, channel=1, target=target, text=text, approved_by=1)


def needs_replies(stage: Stage) -> None:
    if not stage.network.capabilities.replies:
        pytest.skip(f"{stage.network.title} takes no replies")


def needs_sign_in(stage: Stage) -> None:
    if not stage.account.token:
        pytest.skip(f"nobody signs in to {stage.network.title}")


def test_every_network_is_tried() -> None:
    assert set(STAGES) | ONLY_BRING == set(NETWORKS)
    assert all(NETWORKS[name].capabilities.webhook for name in ONLY_BRING)


def test_a_network_is_found_by_its_name() -> None:
    for name, network in NETWORKS.items():
        assert network_named(name) is network
        assert network.name == name
    assert network_named("nowhere") is None


def test_every_network_has_every_method_with_the_arguments_of_the_protocol() -> None:
    for network in NETWORKS.values():
        for name, wanted in inspect.getmembers(Network, inspect.isfunction):
            if name.startswith("_"):
                continue
            ours = inspect.signature(getattr(type(network), name))
            assert list(ours.parameters) == list(inspect.signature(wanted).parameters), f"{network.name}.{name}"


def test_every_network_is_documented() -> None:
    reference = (DOCS / "reference" / "networks.md").read_text()
    for network in NETWORKS.values():
        assert f"\n| {network.title} |" in reference
        assert (DOCS / "howto" / f"connect-{network.name}.md").exists()


def test_networks_know_nothing_but_the_core_and_not_each_other() -> None:
    root = Path(rapport.networks.__file__).parent
    for file in root.rglob("*.py"):
        place = file.relative_to(root).parts
        for line in file.read_text().splitlines():
            if not line.startswith(("import rapport", "from rapport.")):
                continue
            module = line.split()[1].split(".")
            assert module[1] in {"core", "networks"} or line == "from rapport import __version__", (
                f"{file.name}: {line}"
            )
            if module[1] == "networks" and len(place) > 1 and len(module) > 2 and (root / module[2]).is_dir():
                assert module[2] == place[0], f"{file}: {line}"


def test_what_is_said_to_us_comes_in_once_and_can_be_stored(stage: Stage) -> None:
    cursors: dict[str, str] = {}
    read_all(stage, cursors)
    said = [stage.speak(f"number {number}") for number in range(3)]
    posts = read_all(stage, cursors)
    assert [post.id for post in posts if post.id in said] == said
    for post in posts:
        assert post.network == stage.network.name
        assert admit(post, dt.datetime.now(dt.UTC)) == post
    assert read_all(stage, cursors) == []


def test_reading_again_from_an_old_cursor_gives_the_same_posts(stage: Stage) -> None:
    if not stage.keeps:
        pytest.skip(f"{stage.network.title} keeps nothing that was read")
    cursors: dict[str, str] = {}
    read_all(stage, cursors)
    stage.speak("again and again")
    first, second = dict(cursors), dict(cursors)
    assert [post.id for post in read_all(stage, first)] == [post.id for post in read_all(stage, second)]


def test_a_reply_is_sent_found_and_read_as_ours(stage: Stage) -> None:
    needs_replies(stage)
    cursors: dict[str, str] = {}
    read_all(stage, cursors)
    since = dt.datetime.now(dt.UTC)
    target = stage.speak("please answer")
    reply = reply_to(stage, target, "Here we are.")
    assert stage.network.find(stage.account, reply, since, "contract-1", stage.session) is None
    sent = stage.network.push(stage.account, reply, "contract-1", stage.session)
    assert stage.network.find(stage.account, reply, since, "contract-1", stage.session) == sent
    # the same words to the same post once more, and lost: what is there is the first one. A review has one answer only
    twin = stage.network.find(stage.account, reply, since, "contract-9", stage.session, besides={sent.id})
    one_alone = stage.network.name in {"google_business", "trustpilot"}
    assert twin == (sent if one_alone else None)
    # what is older than the send, by more than clocks differ, is another one that says the same
    old = stage.network.find(stage.account, reply, since + dt.timedelta(days=7), "contract-9", stage.session)
    assert old == (sent if one_alone else None)
    ours: list[Post] = []
    deadline = time.monotonic() + 20
    while not ours and time.monotonic() < deadline:  # some networks show what was written a moment later
        ours = [post for post in read_all(stage, cursors) if post.id == sent.id]
    assert [(post.author.ours, post.in_reply_to) for post in ours] == [(True, target)]
    assert [post.author.key for post in ours] == [stage.network.own_key(stage.account)]


def test_a_repeated_push_has_one_effect_where_the_network_promises_it(stage: Stage) -> None:
    if not stage.network.capabilities.idempotent_push:
        pytest.skip(f"{stage.network.title} promises no such thing")
    target = stage.speak("only once, please")
    for _ in range(3):
        stage.network.push(stage.account, reply_to(stage, target, "Once."), "contract-2", stage.session)
    assert stage.answers(target) == 1


def test_a_thread_hangs_together_and_each_of_its_posts_is_found(stage: Stage) -> None:
    offers = stage.network.capabilities
    if not offers.threads:
        pytest.skip(f"{stage.network.title} takes no threads from here")
    since, target = dt.datetime.now(dt.UTC), stage.speak("a long answer, please")
    for number in range(3):
        reply = reply_to(stage, target, f"Post {number} of a thread.")
        assert stage.network.find(stage.account, reply, since, f"thread-{number}", stage.session) is None
        sent = [
            stage.network.push(stage.account, reply, f"thread-{number}", stage.session)
            for _ in range(2 if offers.idempotent_push else 1)
        ]
        assert len({each.id for each in sent}) == 1
        assert stage.network.find(stage.account, reply, since, f"thread-{number}", stage.session) == sent[0]
        assert stage.answers(target) == 1
        target = sent[0].id


def a_picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(out, kind.rpartition("/")[2].upper())
    return out.getvalue()


def test_an_image_goes_out_with_its_words_and_the_reply_is_found(stage: Stage) -> None:
    limits = stage.network.capabilities.media
    if limits is None:
        pytest.skip(f"{stage.network.title} takes no images from here")
    since, target = dt.datetime.now(dt.UTC), stage.speak("show me")
    media = []
    for kind in limits.kinds[: limits.most]:
        content = a_picture(kind)
        picture = Picture(hashlib.sha256(content).hexdigest(), f"A teal {kind[6:]} square, é" if limits.max_alt else "")
        brought = stage.network.upload(stage.account, picture, content, kind, stage.session)
        media.append(msgspec.structs.replace(picture, uploaded=brought))
    reply = msgspec.structs.replace(reply_to(stage, target, "Here it is."), media=tuple(media))
    sent = stage.network.push(stage.account, reply, "contract-5", stage.session)
    assert stage.network.find(stage.account, reply, since, "contract-5", stage.session) == sent
    assert stage.answers(target) == 1
    shows, alts = SHOWS[stage.network.name], [each.alt for each in media]
    assert shows(stage, sent.id, "Here it is.") == alts
    if stage.network.capabilities.edits:  # other words, and the images stay
        other = msgspec.structs.replace(reply, text="Here it is now.", media=())
        edited = stage.network.edit(stage.account, sent.id, other, "contract-6", stage.session)
        assert shows(stage, edited.id, "Here it is now.") == alts


def test_an_upload_tells_of_a_dead_token_and_of_a_server_that_is_away(stage: Stage) -> None:
    if stage.network.capabilities.media is None or stage.network.name == "mail":
        pytest.skip(f"{stage.network.title} takes no uploads")
    picture, content = Picture("0" * 64, "x"), a_picture("image/png")
    for broken, allowed, expected in (
        ({"token": "dead"}, None, Reauthorise),
        ({"server": "http://127.0.0.1:1"}, {"127.0.0.1:1"}, RetryLater),
    ):
        account = msgspec.structs.replace(stage.account, **broken)
        own = GuardedSession(allow=allowed) if allowed else contextlib.nullcontext(stage.session)
        with own as session, pytest.raises(expected):
            stage.network.upload(account, picture, content, "image/png", session)


@pytest.mark.parametrize("kind", ["like", "boost", "follow"])
def test_an_act_done_twice_has_one_effect_and_so_has_taking_it_back(stage: Stage, kind: Any) -> None:
    network, seen = stage.network, SEEN.get(stage.network.name)
    if kind not in network.capabilities.acts:
        for each in (kind, f"un{kind}"):
            with pytest.raises(GiveUp):
                network.act(stage.account, Act(each, network.name, 1, target="1"), "contract-0", stage.session)
        return
    assert seen is not None
    target = stage.speak(f"do you {kind} it")
    about = STRANGERS[network.name](stage) if kind == "follow" else target
    named = {"handle": about} if kind == "follow" else {"target": about}
    for turn, (what, expected) in enumerate(((kind, 1), (f"un{kind}", 0), (kind, 1), (f"un{kind}", 0))):
        act = Act(what, network.name, 1, approved_by=1, **named)
        # the same key as a sender that goes on, another as a person who asks anew
        for key in ("contract-a", "contract-a", "contract-b"):
            network.act(stage.account, act, f"{key}-{kind}-{turn}", stage.session)
        assert seen(stage, kind, about) == expected


def test_a_sent_reply_gets_other_words_once_and_goes_once(stage: Stage) -> None:
    needs_replies(stage)
    offers, network, session = stage.network.capabilities, stage.network, stage.session
    reply = reply_to(stage, stage.speak("change it"), "These are the first words.")
    if not offers.edits:
        with pytest.raises(GiveUp):
            network.edit(stage.account, "1", reply, "contract-6", session)
    if not offers.removes:
        with pytest.raises(GiveUp):
            network.remove(stage.account, "1", session)
        return
    seen, place = SEEN[network.name], network.push(stage.account, reply, "contract-7", session).id
    assert seen(stage, "text", place) == "These are the first words."
    if offers.edits:
        better = msgspec.structs.replace(reply, text="These are better words, é.")
        first = network.edit(stage.account, place, better, "contract-8", session)
        assert network.edit(stage.account, place, better, "contract-8", session).id == first.id
        assert (first.id == place) is not offers.edits_anew
        assert seen(stage, "text", first.id) == "These are better words, é."
        assert offers.edits_anew is (seen(stage, "text", place) is None)
        place = first.id
    for _ in range(2):
        network.remove(stage.account, place, session)
        assert seen(stage, "text", place) is None


def test_a_change_whose_answer_was_lost_is_settled_by_doing_it_again(stage: Stage) -> None:
    server, network, session = stage.server, stage.network, stage.session
    if not isinstance(server, StandIn):
        pytest.skip(f"{network.title} has a server that loses no answers")
    seen, plain = SEEN[network.name], server.always
    assert plain is not None

    def lose(call: Call) -> Told:
        """It does what it is asked, and hangs up before it says so."""
        found = plain(call)
        told = found if isinstance(found, Told) else Told(body=found)
        return replace(told, hang_up=call.method != "GET")

    def done_twice(change: Callable[[], object]) -> None:
        server.always = lose
        with pytest.raises(Unconfirmed):
            change()
        server.always = plain
        change()

    target = stage.speak("and then the line was cut")
    if "like" in network.capabilities.acts:
        done_twice(lambda: network.act(stage.account, Act("like", network.name, 1, target=target), "lost-1", session))
        assert seen(stage, "like", target) == 1
    reply = reply_to(stage, target, "Before.")
    place = network.push(stage.account, reply, "lost-2", session).id
    if network.capabilities.edits:
        other = msgspec.structs.replace(reply, text="After.")
        done_twice(lambda: network.edit(stage.account, place, other, "lost-3", session))
        assert seen(stage, "text", place) == "After."
    done_twice(lambda: network.remove(stage.account, place, session))
    assert seen(stage, "text", place) is None


def test_a_dead_token_is_told_by_every_method(stage: Stage) -> None:
    needs_sign_in(stage)
    dead = msgspec.structs.replace(stage.account, token="dead")
    network, session = stage.network, stage.session
    reply = reply_to(stage, "1", "x")
    with pytest.raises(Reauthorise):
        network.verify(dead, session)
    with pytest.raises(Reauthorise):
        network.push(dead, reply, "contract-3", session)
    with pytest.raises(Reauthorise):
        list(network.pull(dead, network.streams(dead)[0], "", session))
    if "like" in network.capabilities.acts:
        with pytest.raises(Reauthorise):
            network.act(dead, Act("like", network.name, 1, target=stage.speak("like it")), "contract-9", session)
    if network.capabilities.removes:
        sent = network.push(stage.account, reply_to(stage, stage.speak("say it"), "Said it."), "contract-x", session)
        with pytest.raises(Reauthorise):
            network.remove(dead, sent.id, session)


def test_a_server_that_is_away_is_tried_again_and_never_unconfirmed(stage: Stage) -> None:
    needs_sign_in(stage)
    away = msgspec.structs.replace(stage.account, server="http://127.0.0.1:1")
    network = stage.network
    with GuardedSession(allow={"127.0.0.1:1"}) as session:
        calls: list[Callable[[], object]] = [
            lambda: network.verify(away, session),
            lambda: network.push(away, reply_to(stage, "1", "x"), "contract-4", session),
            lambda: network.find(away, reply_to(stage, "1", "x"), dt.datetime.now(dt.UTC), "contract-4", session),
            lambda: list(network.pull(away, network.streams(away)[0], "", session)),
        ]
        for call in calls:
            with pytest.raises(RetryLater):
                call()


def test_no_network_calls_a_private_server_that_was_not_allowed(stage: Stage) -> None:
    needs_sign_in(stage)
    with GuardedSession() as session, pytest.raises(NetworkError):
        stage.network.verify(stage.account, session)


def test_the_length_of_a_plain_text_is_its_characters(stage: Stage) -> None:
    assert stage.network.length("hello") == 5
    assert stage.network.length("x" * stage.network.capabilities.max_length) == stage.network.capabilities.max_length
