"""The inbox of a page: reading its conversations, answering within Meta's time, finding an answer again.

Sources: Messenger Platform "Conversations API", "Send API", "message tags" (human agent).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, RetryLater, Unconfirmed
from rapport.core.post import Post
from rapport.core.reply import Reply
from rapport.networks.backwards import Found, Place, floor_of, is_resting, oldest_first, read_place
from rapport.networks.base import Account, Page, Sent
from rapport.networks.every import every_field
from rapport.networks.graph import MOST_REQUESTS, WINDOW_CLOSED, Graph, segment, split
from rapport.networks.graph_messages import FIELDS, message_id, split_target, stored_post
from rapport.networks.http import GuardedSession
from rapport.networks.payload import clean_id, name_of, required_moment, same_text

REST = dt.timedelta(seconds=60)  # three streams, once a minute, stay below 200 calls an hour
#: the setting for it
EVERY = every_field(
    REST,
    "Each read takes three requests. Meta allows 200 an hour for each person who uses your app; webhooks bring what is "
    "new at once.",
)
FIRST_PULL = 50  # conversations of an account that is new
_CONVERSATIONS, _MESSAGES = 25, 20
_MOST_PAGES = 20  # of conversations in one pull, and of messages in one conversation
_DAY, _WEEK = dt.timedelta(hours=24), dt.timedelta(days=7)
_CLOCKS = dt.timedelta(minutes=5)


# ---------------------------------------------------------------- pulling


def pull_messages(
    account: Account, network: str, page: str, cursor: str, session: GuardedSession, now: dt.datetime
) -> Iterator[Page]:
    """The stream "messages": what was said since the cursor, with anybody. `page` is the id of the Facebook page."""
    place, doubt = read_place(cursor, Place, now)
    if is_resting(account, place, now, REST):
        return
    found, floor = Found(), floor_of(place)
    if doubt:
        found.miss(doubt)
    graph = Graph.of(account, session)
    platform = "messenger" if network == "facebook" else network
    params = {
        "platform": platform,
        "fields": f"id,updated_time,messages.limit({_MESSAGES}){{{FIELDS}}}",
        "limit": _CONVERSATIONS,
    }
    most = _MOST_PAGES if floor else FIRST_PULL // _CONVERSATIONS
    oldest, behind = now, False
    for conversations, more in graph.pages(f"{page}/conversations", params, most):
        behind = more
        for conversation in conversations:
            oldest = _read_conversation(graph, conversation, floor, network, account, now, found) or oldest
        if floor is not None and oldest < floor:
            behind = False
            break
    if behind and floor is None:
        found.miss(f"Only the newest {FIRST_PULL} conversations were read when this account was connected.")
    elif behind:
        found.miss(
            f"More than {_MOST_PAGES * _CONVERSATIONS} conversations had news; older ones were not read.", floor, oldest
        )
    yield from oldest_first("messages", found, place, now)


def _read_conversation(
    graph: Graph,
    conversation: object,
    floor: dt.datetime | None,
    network: str,
    account: Account,
    now: dt.datetime,
    found: Found,
) -> dt.datetime | None:
    """Keep its messages down to `floor`; returns when it was last changed. Of a first pull, the newest are enough."""
    try:
        told = conversation if isinstance(conversation, dict) else {}
        identifier = segment(clean_id(told.get("id")))
        changed = required_moment(told.get("updated_time"), "updated_time")
    except (InvalidPost, GiveUp) as error:
        found.rejected.append(f"conversation {name_of(conversation, 'id')}: {error}".replace(" :", ":"))
        return None
    if floor is not None and changed < floor:
        return changed
    items, after = split(told.get("messages"))
    reached = _keep_stored(items, floor, network, account, now, found)
    pages = 0
    while floor is not None and not reached and after:
        if pages == _MOST_PAGES or graph.asked >= MOST_REQUESTS:
            found.miss("A conversation had more new messages than were read at once.", floor, changed)
            break
        params = {"fields": FIELDS, "limit": 50, "after": after}
        items, after = split(graph.read(f"{identifier}/messages", params))
        reached = _keep_stored(items, floor, network, account, now, found)
        pages += 1
    return changed


def _keep_stored(
    items: list[Any],
    floor: dt.datetime | None,
    network: str,
    account: Account,
    now: dt.datetime,
    found: Found,
) -> bool:
    """Keep the messages of one list, newest first, down to `floor`; True when one lay below it."""
    for item in items:
        what = f"message {name_of(item, 'id')}".strip()
        post = found.read(partial(stored_post, item, network, account), what, now)
        if post is not None and floor is not None and post.created_at < floor:
            return True
        found.posts += [post] if post else []
    return False


# ---------------------------------------------------------------- answering


def send(account: Account, reply: Reply, network: str, page: str, session: GuardedSession, now: dt.datetime) -> Sent:
    """An answer to a message, within the time that Meta allows. See `Network.push`.

    Within 24 hours of the person's last word it is a plain answer. Up to 7 days after it, it bears the human agent
    tag, where the app has that right (setting `human_agent`) and a person approved it. After that it is refused here.
    """
    target = split_target(reply.target)
    if target is None or reply.visibility != "direct":
        raise GiveUp("a private message is answered in private, and only there")
    person = target[0]
    graph = Graph.of(account, session)
    last = _last_word(graph, person, network, page, account)
    form = {
        "recipient": msgspec.json.encode({"id": person}).decode(),
        "message": msgspec.json.encode({"text": reply.text}).decode(),
        **_messaging_type(account, reply, last, now),
    }
    answer = graph.write(f"{page}/messages", form)
    mid = answer.get("message_id")
    if not isinstance(mid, str) or not mid:
        raise Unconfirmed("Meta accepted the message and did not say under which id")
    return Sent(message_id(person, mid))


def _messaging_type(account: Account, reply: Reply, last: dt.datetime, now: dt.datetime) -> dict[str, str]:
    age = now - last
    if age < _DAY:
        return {"messaging_type": "RESPONSE"}
    if age < _WEEK and reply.approved_by is not None and account.settings.get("human_agent") is True:
        return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    remedy = "" if account.settings.get("human_agent") is True else " (turned on in the settings of this account)"
    raise GiveUp(f"{WINDOW_CLOSED}{remedy}. They last wrote at {last:%Y-%m-%d %H:%M} UTC")


def _last_word(graph: Graph, person: str, network: str, page: str, account: Account) -> dt.datetime:
    """When the person last wrote to us."""
    found = _conversation_with(graph, person, network, page, account)
    theirs = [post.created_at for post in found if not post.author.ours]
    if not theirs:
        raise GiveUp(f"{WINDOW_CLOSED}. No word of theirs is among the newest messages")
    return max(theirs)


def _conversation_with(graph: Graph, person: str, network: str, page: str, account: Account) -> list[Post]:
    """The newest messages of the conversation with one person."""
    platform = "messenger" if network == "facebook" else network
    params = {"platform": platform, "user_id": person, "fields": f"id,messages.limit({_MESSAGES}){{{FIELDS}}}"}
    conversations, _ = split(graph.read(f"{page}/conversations", params))
    try:
        return [
            stored_post(item, network, account)
            for conversation in conversations
            for item in split(conversation.get("messages"))[0]
        ]
    except (InvalidPost, AttributeError) as error:
        # a message that cannot be read may be the one that we look for: not found would be a guess
        raise RetryLater(f"the conversation cannot be read: {error}") from None


def find_sent(
    account: Account,
    reply: Reply,
    network: str,
    page: str,
    since: dt.datetime,
    session: GuardedSession,
    besides: Collection[str] = (),
) -> Sent | None:
    """See `Network.find`, for messages."""
    target = split_target(reply.target)
    if target is None:
        return None
    posts = _conversation_with(Graph.of(account, session), target[0], network, page, account)
    for post in posts:
        ours = post.author.ours and post.created_at >= since - _CLOCKS and post.id not in besides
        if ours and same_text(post.text, reply.text):
            return Sent(post.id)
    if len(posts) >= _MESSAGES and min(post.created_at for post in posts) > since - _CLOCKS:
        raise Unconfirmed(f"the newest {_MESSAGES} messages of the conversation do not go back to the time of the send")
    return None
