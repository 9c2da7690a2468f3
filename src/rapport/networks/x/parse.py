"""Posts and messages of X -> `Post`. Pure; raises `InvalidPost` and nothing else.

- The text is the whole one (`note_tweet`) as people read it: HTML entities decoded, t.co links written out, the link to
  an attached picture or quoted post left away, the choices of a poll below it.
- An edited post keeps the id of its first version, so that it stays one post; its text is the newest.
- A repost has its own id and author and the whole text of the original, whose id is `thread`.
- A message is called "dm:CONVERSATION:EVENT": an answer must know the conversation, and these ids are a space apart.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Set

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Kind, Media, Metrics, Post
from rapport.networks.x import entities as found_in
from rapport.networks.x.answer import Answer, DmEvent, Entities, Mention, Tag, Tweet, Url, User, decode_item
from rapport.networks.x.cursor import moment_of
from rapport.networks.x.wire import Problem

NAME = "x"
#: codes by which X says that a text has no language, and old codes of two languages
_LANGUAGES = dict.fromkeys(("qam", "qct", "qht", "qme", "qst", "art", "und", "zxx"), "") | {"iw": "he", "in": "id"}
_KINDS = {"photo": "image", "animated_gif": "video"}
_GONE = ("resource-not-found", "not-authorized-for-resource", "resource-unavailable", "disallowed-resource")
_HTML = re.compile("&(amp|lt|gt);")
_HTML_SIGNS = {"amp": "&", "lt": "<", "gt": ">"}
_OWN_MEDIA = re.compile(r"https?://(?:www\.)?(?:x|twitter)\.com/\w+/status/\d+/(?:photo|video)/\d+", re.IGNORECASE)
_STATUS = re.compile(r"https?://(?:www\.|mobile\.)?(?:x|twitter)\.com/\w+(?:/web)?/status/(\d+)", re.IGNORECASE)


def parse_tweet(item: bytes, answer: Answer, ours: str = "") -> Post:
    """A post of an answer -> `Post`. `ours` is the id of our own account."""
    tweet = decode_item(item, Tweet)
    firsts = _first_versions([*answer.posts.values(), tweet])
    references = {each.type: str(each.id) for each in tweet.references}
    repeated = references.get("retweeted") or references.get("reposted")
    source = answer.posts.get(repeated, tweet) if repeated else tweet
    quoted = {str(each.id) for each in source.references if each.type == "quoted"}
    text, links, entities = _text(source, quoted, answer)
    author = _author(tweet, answer.users, ours)
    identifier = tweet.versions[0]
    edited = len(tweet.versions) > 1 and not repeated
    parent = None if repeated else references.get("replied_to")
    root = str(tweet.conversation_id) if tweet.conversation_id else None
    protected = getattr(answer.users.get(author.id), "protected", None)
    return Post(
        network=NAME,
        id=identifier,
        url=f"https://x.com/{author.handle or 'i'}/status/{identifier}",
        kind=_kind(tweet, references),
        text=text,
        lang=_LANGUAGES.get(source.lang or "", source.lang) or None,
        created_at=_created(tweet, edited),
        edited_at=_moment(tweet.created_at) or moment_of(str(tweet.id)) if edited else None,
        author=author,
        in_reply_to=firsts.get(parent, parent) if parent else None,
        thread=firsts.get(repeated, repeated) if repeated else firsts.get(root, root) if root else None,
        mentions=tuple(each.username for each in entities.mentions or () if each.username),
        hashtags=tuple(each.tag for each in entities.hashtags or () if each.tag),
        links=links,
        media=_media(source, answer),
        metrics=_metrics(source),
        visibility="private" if protected else "public",
    )


def parse_message(item: bytes, answer: Answer, ours: str = "") -> Post | None:
    """A message event -> `Post`; None for somebody who joins or leaves."""
    event = decode_item(item, DmEvent)
    if event.event_type not in {None, "MessageCreate"}:
        return None
    conversation, sender = str(event.dm_conversation_id or ""), str(event.sender_id or "")
    if not conversation or not sender:
        raise InvalidPost("dm_event", "tells no conversation or no sender")
    created = _moment(event.created_at) or moment_of(str(event.id))
    if created is None:
        raise InvalidPost("created_at", "is missing")
    text, links, entities = _readable(event.text or "", event.entities)
    attached = [
        answer.media[key]
        for key in (event.attachments.media_keys if event.attachments else None) or ()
        if key in answer.media
    ]
    user = answer.users.get(sender)
    return Post(
        network=NAME,
        id=f"dm:{conversation}:{event.id}",
        url=f"https://x.com/messages/{conversation}",
        kind="message",
        text=text,
        created_at=created,
        author=_user_author(user, ours) if user else Author(id=sender, ours=bool(ours) and sender == ours),
        thread=f"dm:{conversation}",
        mentions=tuple(each.username for each in entities.mentions or () if each.username),
        hashtags=tuple(each.tag for each in entities.hashtags or () if each.tag),
        links=links,
        media=tuple(
            Media(
                _KINDS.get(each.type or "", each.type or "unknown"),
                each.url or each.preview_image_url or "",
                each.alt_text or "",
            )
            for each in attached
        ),
        visibility="direct",
    )


def gone_from(problems: Iterable[Problem]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The partial errors of an answer -> ids of posts that are gone, keys of accounts that are suspended.

    A post whose author was suspended or went private is as gone for us as a deleted one.
    """
    posts: list[str] = []
    accounts: list[str] = []
    for problem in problems:
        identifier = str(problem.resource_id or problem.value or "")
        if problem.kind not in _GONE or not identifier.isascii() or not identifier.isdigit():
            continue
        if problem.resource_type in {"tweet", "post"}:
            posts.append(identifier)
        elif problem.resource_type == "user" and "suspended" in (problem.detail or "").lower():
            accounts.append(identifier)
    return tuple(dict.fromkeys(posts)), tuple(dict.fromkeys(accounts))


def _text(tweet: Tweet, quoted: Set[str], answer: Answer) -> tuple[str, tuple[str, ...], Entities]:
    """The text of a post with the choices of its poll, the addresses in it, and the rest of what is in it."""
    note = tweet.note
    raw, entities = (note.text, note.entities) if note else (tweet.text, tweet.entities)
    if raw is None:
        raise InvalidPost("text", "is missing")
    text, links, entities = _readable(raw, entities or tweet.entities, frozenset(tweet.versions), quoted)
    keys = (tweet.attachments.poll_ids if tweet.attachments else None) or ()
    polls = [answer.polls[key] for key in keys if key in answer.polls]
    options = [
        f"- {option.label}"
        for poll in polls
        for option in sorted(poll.options or (), key=lambda each: each.position or 0)
        if option.label
    ]
    return "\n\n".join(part for part in (text, "\n".join(options)) if part), links, entities


def _readable(
    raw: str, entities: Entities | None, own: Set[str] = frozenset(), quoted: Set[str] = frozenset()
) -> tuple[str, tuple[str, ...], Entities]:
    """A raw text -> as people read it, the addresses in it, and its entities (found by us where X tells none).

    Links to the post itself (`own`) and to what stands quoted below it are left away.
    """
    text = _HTML.sub(lambda match: _HTML_SIGNS[match[1]], raw)
    if entities is None:
        entities = Entities(
            urls=[Url(url=each.word, expanded_url=each.word) for each in found_in.find_addresses(text)],
            mentions=[Mention(each.word) for each in found_in.find_mentions(text)],
            hashtags=[Tag(each.word) for each in found_in.find_hashtags(text)],
        )
    links: list[str] = []
    for url in entities.urls or ():
        expanded = url.expanded_url or url.url or ""
        if url.media_key or _OWN_MEDIA.match(expanded):
            text = _without(text, url.url)
            continue
        status = _STATUS.match(expanded)
        if status and status[1] in own:
            text = _without(text, url.url)
            continue
        if status and status[1] in quoted:
            text = _without(text, url.url)
        elif url.url and expanded and url.url != expanded:
            text = text.replace(url.url, expanded)
        target = url.unwound_url or expanded
        links.append(target if "://" in target else f"https://{target}")
    return text.strip(), tuple(dict.fromkeys(links)), entities


def _without(text: str, url: str | None) -> str:
    return text.replace(url, "").rstrip() if url else text


def _kind(tweet: Tweet, references: Mapping[str, str]) -> Kind:
    if "retweeted" in references or "reposted" in references:
        return "repost"
    if "replied_to" in references or tweet.in_reply_to_user_id:
        return "reply"
    return "quote" if "quoted" in references else "post"


def _first_versions(tweets: Iterable[Tweet]) -> dict[str, str]:
    """Any id of an edited post -> the id of its first version."""
    return {
        version: tweet.versions[0] for tweet in tweets for version in tweet.versions if version != tweet.versions[0]
    }


def _created(tweet: Tweet, edited: bool) -> dt.datetime:
    """When the first version was written; ids hold the time, which X leaves out where nobody asked for it."""
    told = moment_of(tweet.versions[0]) if edited else _moment(tweet.created_at)
    created = told or moment_of(tweet.versions[0])
    if created is None:
        raise InvalidPost("created_at", "is missing, and the id holds no time")
    return created


def _author(tweet: Tweet, users: Mapping[str, User], ours: str) -> Author:
    identifier = str(tweet.author_id or "")
    user = users.get(identifier)
    if user is None and not identifier and tweet.username:
        user = next((each for each in users.values() if each.username == tweet.username), None)
    if user is not None:
        return _user_author(user, ours)
    if not identifier and not tweet.username:
        raise InvalidPost("author", "is missing")
    return Author(id=identifier, handle=tweet.username or "", ours=bool(ours) and identifier == ours)


def _user_author(user: User, ours: str) -> Author:
    counted = user.public_metrics
    about = user.entities.description if user.entities else None
    return Author(
        id=str(user.id),
        handle=user.username or "",
        name=user.name or "",
        url=f"https://x.com/{user.username}" if user.username else None,
        bio=_readable(user.description, about or Entities())[0] if user.description else None,
        followers=counted.followers_count if counted else None,
        following=counted.following_count if counted else None,
        posts=(counted.tweet_count if counted.tweet_count is not None else counted.post_count) if counted else None,
        created_at=_moment(user.created_at),
        verified=bool(user.verified) or user.verified_type not in {None, "", "none"},
        ours=bool(ours) and str(user.id) == ours,
        likes=counted.like_count if counted else None,
        listed=counted.listed_count if counted else None,
    )


def _media(tweet: Tweet, answer: Answer) -> tuple[Media, ...]:
    keys = (tweet.attachments.media_keys if tweet.attachments else None) or ()
    items = [answer.media[key] for key in keys if key in answer.media]
    return tuple(
        Media(
            _KINDS.get(item.type or "", item.type or "unknown"),
            item.url or item.preview_image_url or "",
            item.alt_text or "",
        )
        for item in items
    )


def _metrics(tweet: Tweet) -> Metrics:
    counted = tweet.public_metrics
    if counted is None:
        return Metrics()
    return Metrics(
        likes=counted.like_count or 0,
        reposts=counted.repost_count or counted.retweet_count or 0,
        replies=counted.reply_count or 0,
    )


def _moment(value: str | None) -> dt.datetime | None:
    """An ISO time -> aware, in UTC; None for anything else."""
    try:
        moment = dt.datetime.fromisoformat(value or "")
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
