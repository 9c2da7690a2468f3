"""The JSON of a Discourse forum -> `Post`. Pure; raises `InvalidPost` and nothing else.

Ids are "host/t/TOPIC/NUMBER", as in the address of a post: they name the topic and the place in it, which is what an
answer needs, and what a post says of the one that it answers.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Kind, Media, Metrics, Post, Visibility
from rapport.networks.html import plain_text
from rapport.networks.payload import moment, required_moment, take

NAME = "discourse"

_LINK = re.compile(r"<a\b([^<>]{0,2000})>([^<>]{0,200})")
_CLASS = re.compile(r"""\bclass="([^"<>]*)\"""")
_SLUG = re.compile(r"""\bdata-slug="([^"<>]{1,200})\"""")
_IMAGE = re.compile(r"<img\b[^<>]*>")
_ATTRIBUTE = re.compile(r"""\b(src|alt|class|title)="([^"<>]*)\"""")
_QUOTE_OPEN = re.compile(r"""<aside[^<>]*\bclass="quote\b[^<>]*>""")
_ASIDE = re.compile(r"</?aside\b[^<>]*>")
_PLACE = re.compile(r"(.+)/t/(\d{1,18})/(\d{1,9})", re.DOTALL)
_REGULAR = frozenset({1, 2})  # by people and by moderators; 3 is a note of the forum itself, 4 a whisper among staff


class Forum(msgspec.Struct, frozen=True):
    """Where a post stands."""

    origin: str
    host: str
    #: the forum's number of our own account
    ours: str = ""


class Topic(msgspec.Struct):
    """What a topic says that its posts do not."""

    id: int
    title: str | None = None
    archetype: str | None = None
    tags: list[Any] | None = None
    category_id: int | None = None
    deleted_at: Any = None

    @property
    def is_private(self) -> bool:
        return self.archetype == "private_message"

    @property
    def tag_names(self) -> tuple[str, ...]:
        """Newer forums describe a tag, older ones name it."""
        names = (tag.get("name") if isinstance(tag, dict) else tag for tag in self.tags or ())
        return tuple(name for name in names if isinstance(name, str))


class RawPost(msgspec.Struct):
    """A post as the forum tells it."""

    id: int
    topic_id: int
    post_number: int
    username: str
    created_at: str
    name: str | None = None
    user_id: int | None = None
    cooked: str | None = None
    raw: str | None = None
    updated_at: str | None = None
    version: int | None = None
    post_type: int | None = None
    reply_to_post_number: int | None = None
    reply_count: int | None = None
    actions_summary: list[Any] | None = None
    category_id: int | None = None
    topic_slug: str | None = None
    topic_title: str | None = None
    topic_archetype: str | None = None
    deleted_at: Any = None
    user_deleted: bool | None = None
    hidden: bool | None = None

    @property
    def is_gone(self) -> bool:
        return bool(self.deleted_at) or bool(self.user_deleted)

    @property
    def is_speech(self) -> bool:
        """Said by somebody, to everybody who may see the topic, and not hidden by flags."""
        return (1 if self.post_type is None else self.post_type) in _REGULAR and not self.hidden


def read_post(item: Any) -> RawPost:
    """One decoded post. Raises `InvalidPost`."""
    found = take(item, RawPost)
    if not 0 < found.topic_id < 10**18 or not 0 < found.post_number < 10**9:
        raise InvalidPost("post_number", "a post stands in a topic, from number 1 on")
    return found


def post_id(host: str, topic: int, number: int) -> str:
    """The id of a post."""
    return f"{host}/t/{topic}/{number}"


def split_id(identifier: str, host: str) -> tuple[int, int]:
    """A post's id -> (topic, number); (0, 0) for what is no id of this forum."""
    found = _PLACE.fullmatch(identifier)
    return (int(found[2]), int(found[3])) if found and found[1] == host else (0, 0)


def to_post(raw: RawPost, forum: Forum, topic: Topic | None = None, changed: bool = False) -> Post:
    """A post of the forum -> the post. `changed`: it is known to have been edited, whatever its version says.

    (An author who edits within the first minutes makes no new version.)
    """
    private = (topic.is_private if topic else False) or raw.topic_archetype == "private_message"
    cooked = (raw.cooked or "")[:500_000]
    spoken = _without_quotes(cooked)
    text, links = plain_text(_IMAGE.sub(_emoji, spoken))
    title = (topic.title if topic and topic.title else raw.topic_title) or ""
    if raw.post_number == 1 and title and not private:
        text = f"{title}\n\n{text}".strip()
    answered = raw.reply_to_post_number if raw.reply_to_post_number and raw.reply_to_post_number > 0 else None
    return Post(
        network=NAME,
        id=post_id(forum.host, raw.topic_id, raw.post_number),
        url=f"{forum.origin}/t/{raw.topic_slug or '-'}/{raw.topic_id}/{raw.post_number}",
        kind=_kind(raw, private),
        text=text if cooked else (raw.raw or ""),
        html=cooked or None,
        created_at=required_moment(raw.created_at),
        edited_at=moment(raw.updated_at) if changed or (raw.version or 1) > 1 else None,
        author=_author(raw, forum),
        in_reply_to=_answered(raw, forum, answered),
        thread=post_id(forum.host, raw.topic_id, 1),
        mentions=tuple(dict.fromkeys(f"{name}@{forum.host}" for name in _mentions(spoken))),
        hashtags=tuple(dict.fromkeys((*_hashtags(spoken), *(topic.tag_names if topic else ())))),
        links=links,
        media=_media(spoken, forum),
        metrics=Metrics(likes=_likes(raw.actions_summary), replies=max(raw.reply_count or 0, 0)),
        visibility=_visibility(private),
    )


def author_key(username: str, host: str) -> str:
    """What `Author.id` is for this person."""
    return f"{username.lower()}@{host}"


def _author(raw: RawPost, forum: Forum) -> Author:
    if not raw.username.strip():
        raise InvalidPost("username", "is missing")
    return Author(
        id=author_key(raw.username, forum.host),
        handle=f"{raw.username}@{forum.host}",
        name=raw.name or "",
        url=f"{forum.origin}/u/{raw.username}",
        bot=raw.user_id is not None and raw.user_id < 0,  # "system" and "discobot" of every forum
        ours=bool(forum.ours) and str(raw.user_id) == forum.ours,
    )


def _kind(raw: RawPost, private: bool) -> Kind:
    if private:
        return "message"
    return "topic" if raw.post_number == 1 else "reply"


def _visibility(private: bool) -> Visibility:
    return "direct" if private else "public"


def _answered(raw: RawPost, forum: Forum, answered: int | None) -> str | None:
    """An answer to nobody in particular is one to the topic."""
    if raw.post_number in {1, answered}:
        return None
    return post_id(forum.host, raw.topic_id, answered or 1)


def _without_quotes(cooked: str) -> str:
    """The markup without what it quotes of others: their words must not be taken for the author's."""
    kept: list[str] = []
    start, depth = 0, 0
    for tag in _ASIDE.finditer(cooked):
        if depth == 0 and _QUOTE_OPEN.fullmatch(tag[0]):
            kept.append(cooked[start : tag.start()])
            depth = 1
        elif depth:
            depth += -1 if tag[0].startswith("</") else 1
            start = tag.end()
    return "".join(kept) + (cooked[start:] if depth == 0 else "")


def _emoji(tag: re.Match[str]) -> str:
    """An emoji is part of the words; another picture is not."""
    values = dict(_ATTRIBUTE.findall(tag[0]))
    return values.get("title") or values.get("alt", "") if "emoji" in values.get("class", "") else ""


def _media(cooked: str, forum: Forum) -> tuple[Media, ...]:
    found = []
    for tag in _IMAGE.findall(cooked):
        values = dict(_ATTRIBUTE.findall(tag))
        kinds = values.get("class", "").split()
        source = unescape(values.get("src", ""))
        if source and not {"emoji", "avatar", "site-icon"} & set(kinds):
            whole = f"https:{source}" if source.startswith("//") else source
            whole = f"{forum.origin}{whole}" if whole.startswith("/") else whole
            found.append(Media("image", whole, unescape(values.get("alt", ""))))
    return tuple(found)


def _mentions(cooked: str) -> list[str]:
    """Names of people and groups, without @."""
    shown = [text for attributes, text in _LINK.findall(cooked) if _classes(attributes) & {"mention", "mention-group"}]
    names = (unescape(text).strip() for text in shown)
    return [name[1:] for name in names if name.startswith("@") and len(name) > 1 and not set(name) & set(" \t\n")]


def _hashtags(cooked: str) -> list[str]:
    links = [text for text, _ in _LINK.findall(cooked) if _classes(text) & {"hashtag", "hashtag-cooked"}]
    slugs = (_SLUG.search(attributes) for attributes in links)
    return [unescape(slug[1]) for slug in slugs if slug]


def _classes(attributes: str) -> set[str]:
    found = _CLASS.search(attributes)
    return set(found[1].split()) if found else set()


def _likes(actions: list[Any] | None) -> int:
    for action in actions or ():
        if isinstance(action, dict) and action.get("id") == 2 and isinstance(action.get("count"), int):
            return max(int(action["count"]), 0)
    return 0
