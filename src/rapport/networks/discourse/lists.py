"""The lists of a forum, each read down to where the last read ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Post, admit
from rapport.networks.base import Account
from rapport.networks.discourse.parse import Forum, RawPost, Topic, post_id, read_post, to_post
from rapport.networks.discourse.wire import Refused, Wire
from rapport.networks.payload import moment, name_of, take

FIRST_PULL = 100  # posts of each stream, when it is new to us
MOST_PAGES = 40  # of one list in one read: 2,000 posts
_LIST_SIZE = 50  # posts of the lists of newest posts
_PAGE_OF_TOPIC = 20  # posts of one request
_MOST_NOTIFICATIONS = 60
#: mentioned, replied, quoted, edited, posted, linked, group mentioned, first post of what is watched. Of private
#: messages tells the stream of messages
_SPEAKS = frozenset({1, 2, 3, 4, 9, 11, 15, 17})
_WHOLE_TOPIC = frozenset({2, 9})  # the forum folds several of these into one
_SLACK = dt.timedelta(hours=1)  # how far the activity of a topic may be behind its newest post


class Known(msgspec.Struct, frozen=True, array_like=True):
    """How a post was when it was read."""

    topic: int
    number: int
    updated: str


class Found(msgspec.Struct):
    """What a read brought; posts by their number through the forum."""

    top: int = 0
    posts: dict[int, Post] = {}
    known: dict[str, Known] = {}
    forget: list[str] = []
    deleted: list[str] = []
    rejected: list[str] = []
    #: sentences
    missing: list[str] = []


class _Latest(msgspec.Struct):
    latest_posts: list[Any] = []
    private_posts: list[Any] = []


class _Notification(msgspec.Struct):
    id: int
    notification_type: int
    topic_id: int | None = None
    post_number: int | None = None


class _Notifications(msgspec.Struct):
    notifications: list[Any]


class _Action(msgspec.Struct):
    post_id: int | None = None


class _Actions(msgspec.Struct):
    user_actions: list[Any]


class _Bumped(msgspec.Struct):
    id: int
    bumped_at: str | None = None
    pinned: bool | None = None
    pinned_globally: bool | None = None


class _TopicList(msgspec.Struct):
    topics: list[Any] = []
    more_topics_url: str | None = None


class _TagPage(msgspec.Struct):
    topic_list: _TopicList


class _Stream(msgspec.Struct):
    stream: list[int] = []
    posts: list[Any] = []


class _TopicPage(Topic):
    post_stream: _Stream = msgspec.field(default_factory=_Stream)


class _Hit(msgspec.Struct):
    id: int
    topic_id: int


class _Hits(msgspec.Struct):
    posts: list[Any] = []


class Look:
    """One read of one stream. What it asks of topics it asks once."""

    def __init__(self, account: Account, wire: Wire, known: dict[str, Known], top: int, is_new: bool) -> None:
        self.account, self.wire, self.known, self.top, self.is_new = account, wire, known, top, is_new
        host = urlsplit(account.server).netloc
        self.forum = Forum(account.server, host, account.account_id)
        self._topics: dict[int, _TopicPage | None] = {}

    def topic(self, number: int) -> _TopicPage | None:
        """The page of a topic; None when it is gone or not ours to see."""
        if number not in self._topics:
            try:
                self._topics[number] = self.wire.read(f"/t/{number}.json", _TopicPage)
            except Refused:
                self._topics[number] = None
        return self._topics[number]

    def take(self, item: Any, found: Found, topic: Topic | None = None, changed: bool = False) -> RawPost | None:
        """One post into `found`. None for what cannot be read; that is said in `found.rejected`."""
        try:
            raw = read_post(item)
            if raw.is_gone:
                found.deleted.append(post_id(self.forum.host, raw.topic_id, raw.post_number))
                found.forget.append(str(raw.id))
            elif raw.is_speech:
                post = to_post(raw, self.forum, topic, changed)
                found.posts[raw.id] = admit(post, dt.datetime.now(dt.UTC))
                found.known[str(raw.id)] = Known(raw.topic_id, raw.post_number, raw.updated_at or "")
        except InvalidPost as error:
            found.rejected.append(f"post {name_of(item, 'id')}: {error}")
            return None
        found.top = max(found.top, raw.id)
        return raw

    def fetch(self, path: str, found: Found, changed: bool = False) -> RawPost | None:
        """One post by its address, with its topic; None when it is gone."""
        try:
            item = self.wire.read(path, dict[str, Any])
        except Refused:
            return None
        topic = self.topic(int(item["topic_id"])) if isinstance(item.get("topic_id"), int) else None
        return self.take(item, found, topic, changed)

    def fetch_all(self, topic: _TopicPage, numbers: list[int], found: Found) -> None:
        """Several posts of one topic."""
        for start in range(0, len(numbers), _PAGE_OF_TOPIC):
            params = {"post_ids[]": numbers[start : start + _PAGE_OF_TOPIC]}
            page = self.wire.read(f"/t/{topic.id}/posts.json", _TopicPage, params)
            for item in page.post_stream.posts:
                self.take(item, found, topic)

    def check_again(self, found: Found, turn: int) -> None:
        """One of the posts that are known, each read another one: was it edited, moved or deleted?"""
        waiting = sorted((number for number in self.known if int(number) not in found.posts), key=int)
        if waiting:
            self.check_one(waiting[turn % len(waiting)], found)

    def check_one(self, number: str, found: Found) -> None:
        """As it was -> as it is."""
        was = self.known[number]
        place = post_id(self.forum.host, was.topic, was.number)
        try:
            item = self.wire.read(f"/posts/{number}.json", dict[str, Any])
            now = read_post(item)
        except (Refused, InvalidPost):
            found.deleted.append(place)
            found.forget.append(number)
            return
        if (now.topic_id, now.post_number) != (was.topic, was.number):
            found.deleted.append(place)
        if (now.topic_id, now.post_number, now.updated_at or "") != (was.topic, was.number, was.updated):
            self.take(item, found, self.topic(now.topic_id), changed=True)


def read_latest(look: Look, _name: str) -> Found:
    """The newest public posts of the forum, those of the chosen categories."""
    return _read_newest(look, "/posts.json", "latest_posts")


def read_messages(look: Look, _name: str) -> Found:
    """The newest posts in private messages that we take part in."""
    return _read_newest(look, "/private-posts.json", "private_posts")


def _read_newest(look: Look, path: str, root: str) -> Found:
    """From the newest backwards to the cursor. The first page also shows what was edited or deleted lately."""
    found, before = Found(), 0
    floor = min(map(int, look.known), default=look.top)
    for page in range(MOST_PAGES):
        told = getattr(look.wire.read(path, _Latest, {"before": before} if before else {}), root)
        items = [item for item in told if isinstance(item, dict) and isinstance(item.get("id"), int)]
        numbers = [item["id"] for item in items]
        for item, number in zip(items, numbers, strict=True):
            was = look.known.get(str(number))
            # a post can become visible after one with a higher number
            if number > look.top or (was is None and number > floor):
                _take_latest(look, item, found, root, changed=False)
            elif was is not None and item.get("updated_at") != was.updated:
                _take_latest(look, item, found, root, changed=True)
        if page == 0:
            _look_for_gaps(look, numbers, found)
        lowest = min(numbers, default=before)
        # older forums show the posts among the fifty numbers below, which may be none, newer ones fifty posts
        before = lowest if not before or lowest < before else before - _LIST_SIZE
        if before <= max(look.top, 1):
            return found
        if look.is_new and len(found.known) >= FIRST_PULL:
            found.missing.append(f"Only the newest {len(found.known)} posts were read when this was connected.")
            return found
        if not numbers and look.is_new:
            return found
    many = f"{MOST_PAGES * _LIST_SIZE:,}"
    found.missing.append(
        f"Only the newest {many} posts of the forum were looked through when this was connected."
        if look.is_new
        else f"More than {many} posts were missed; the oldest could not be read."
    )
    return found


def _take_latest(look: Look, item: dict[str, Any], found: Found, root: str, changed: bool) -> None:
    number = item.get("topic_id")
    if root == "private_posts":
        topic = Topic(number if isinstance(number, int) else 0, archetype="private_message")
        look.take(item, found, topic, changed)
        return
    chosen = look.account.settings.get("category_ids")
    chosen = chosen if isinstance(chosen, list) else []
    if look.account.settings.get("everything") or str(item.get("category_id")) in chosen:
        look.take(item, found, None, changed)
    else:
        found.top = max(found.top, item["id"])


def _look_for_gaps(look: Look, numbers: list[int], found: Found) -> None:
    """Posts that we know and that a list should show, and does not: deleted, as like as not."""
    if not numbers:
        return
    lowest, shown = min(numbers), set(numbers)
    for number in [each for each in look.known if int(each) >= lowest and int(each) not in shown][:10]:
        look.check_one(number, found)


def read_notifications(look: Look, _name: str) -> Found:
    """What the forum told our account: who mentioned, quoted or answered us."""
    found, offset, read = Found(), 0, 0
    top = look.top
    for _ in range(MOST_PAGES):
        params = {"limit": _MOST_NOTIFICATIONS, "offset": offset}
        items = look.wire.read("/notifications.json", _Notifications, params).notifications
        fresh = [each for each in map(_notification, items) if each and each.id > look.top]
        for each in fresh:
            top = max(top, each.id)
            _take_notified(look, each, found)
        read += len(fresh)
        offset += _MOST_NOTIFICATIONS
        if len(fresh) < len(items) or not items:
            break
        if look.is_new and read >= FIRST_PULL:
            found.missing.append(f"Only the newest {read} notifications were read when this account was connected.")
            break
    else:
        found.missing.append(f"More than {read:,} notifications were missed; the oldest could not be read.")
    found.top = top
    return found


def _notification(item: Any) -> _Notification | None:
    try:
        return take(item, _Notification)
    except InvalidPost:
        return None


def _take_notified(look: Look, told: _Notification, found: Found) -> None:
    if told.notification_type not in _SPEAKS or not told.topic_id or not told.post_number:
        return
    topic = look.topic(told.topic_id)
    if topic is None or topic.is_private:
        return
    if told.notification_type in _WHOLE_TOPIC and look.known and not look.is_new:
        newest = max(map(int, look.known))
        numbers = [number for number in topic.post_stream.stream if number > newest and number not in found.posts]
        look.fetch_all(topic, numbers[-200:], found)
    path = f"/posts/by_number/{told.topic_id}/{told.post_number}.json"
    look.fetch(path, found, changed=told.notification_type == 4)


def read_own(look: Look, _name: str) -> Found:
    """Our own topics and replies, also those that were written on the forum itself."""
    found, top, offset = Found(), look.top, 0
    username = look.account.handle.partition("@")[0]
    for _ in range(MOST_PAGES):
        params = {"username": username, "filter": "4,5", "offset": offset}
        items = look.wire.read("/user_actions.json", _Actions, params).user_actions
        numbers = [item["post_id"] for item in items if isinstance(item, dict) and isinstance(item.get("post_id"), int)]
        fresh = [number for number in numbers if number > look.top]
        for number in fresh:
            top = max(top, number)
            look.fetch(f"/posts/{number}.json", found)
        offset += len(items)
        if len(fresh) < len(numbers) or not numbers or (look.is_new and offset >= _LIST_SIZE):
            break
    found.top = top
    return found


def read_tag(look: Look, name: str) -> Found:
    """The topics with this tag, newest activity first, down to those without anything new."""
    found = Found(top=look.top)
    since = _newest_known(look)
    for page in range(MOST_PAGES):
        answer = look.wire.read(f"/tag/{quote(name, safe='')}.json", _TagPage, {"page": page}).topic_list
        for item in answer.topics:
            try:
                listed = take(item, _Bumped)
            except InvalidPost as error:
                found.rejected.append(f"topic {name_of(item, 'id')}: {error}")
                continue
            active = moment(listed.bumped_at)
            if since is not None and active is not None and active < since - _SLACK:
                if listed.pinned or listed.pinned_globally:
                    continue  # it stands on top, however old it is
                return found
            _take_topic(look, listed.id, found)
            if look.is_new and len(found.posts) >= FIRST_PULL:
                found.missing.append(f"Only the newest topics with the tag {name} were read when it was added.")
                return found
        if not answer.topics or not answer.more_topics_url:
            return found
    found.missing.append(f"More topics with the tag {name} were active than could be read.")
    return found


def _take_topic(look: Look, number: int, found: Found) -> None:
    topic = look.topic(number)
    if topic is None:
        return
    if not topic.post_stream.stream:
        found.missing.append(f"Topic {number} is so long that the forum does not list its posts; it is not followed.")
    fresh = [each for each in topic.post_stream.stream if each > look.top]
    look.fetch_all(topic, fresh[-FIRST_PULL:] if look.is_new else fresh, found)


def _newest_known(look: Look) -> dt.datetime | None:
    """When the newest post that we know was last changed: older activity holds nothing new."""
    moments = [moment(was.updated) for was in look.known.values()]
    return max((each for each in moments if each is not None), default=None)


def read_search(look: Look, words: str) -> Found:
    """What the search of the forum finds, newest first."""
    found = Found(top=look.top)
    topics: list[int] = []
    for page in range(1, 6):
        hits = _hits(look, f"{words} order:latest", page)
        fresh = [hit for hit in hits if hit.id > look.top]
        topics += [hit.topic_id for hit in fresh if hit.topic_id not in topics]
        if len(fresh) < len(hits) or not hits or (look.is_new and len(topics) >= _LIST_SIZE):
            break
    for number in topics:
        topic = look.topic(number)
        inside = [hit.id for hit in _hits(look, f"{words} topic:{number} order:latest", 1) if hit.id > look.top]
        if topic is not None and not topic.is_private:
            look.fetch_all(topic, sorted(inside), found)
    return found


def _hits(look: Look, query: str, page: int) -> list[_Hit]:
    answer = look.wire.read("/search.json", _Hits, {"q": query, "page": page})
    found = []
    for item in answer.posts:
        try:
            found.append(take(item, _Hit))
        except InvalidPost:
            continue
    return found


#: kind of stream -> how it is read
LISTS: dict[str, Callable[[Look, str], Found]] = {
    "notifications": read_notifications,
    "messages": read_messages,
    "own": read_own,
    "posts": read_latest,
    "tag": read_tag,
    "search": read_search,
}
