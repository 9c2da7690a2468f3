"""What was known of the conversation of each post of a batch just before it was said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from rapport.core.decision import NEW, ConversationFacts
from rapport.core.post import Post

#: network and the id of a post that is in the conversation
Key = tuple[str, str]
#: Moments of each kind that are known of one conversation, the newest.
MOST_SAID = 100


def names_of(post: Post) -> list[Key]:
    """The ids by which a post says which conversation it belongs to, its own first."""
    return [(post.network, name) for name in (post.id, post.in_reply_to, post.thread) if name]


def conversations_before(
    posts: Sequence[Post], moods: Sequence[str], known: Mapping[Key, ConversationFacts]
) -> list[ConversationFacts]:
    """One for each post: what is `known`, and what was said earlier in the same batch. `moods` as `Sentiment.label`."""
    threads = Threads(known)
    return [threads.hear(post, mood) for post, mood in zip(posts, moods, strict=True)]


def before_then(facts: ConversationFacts, at: dt.datetime) -> ConversationFacts:
    """What is known of a conversation without what was said in it from `at` on; a new one where nothing is left."""
    posts, negative, answers = (
        tuple(when for when in times if when < at) for times in (facts.posts, facts.negative, facts.answers)
    )
    return replace(facts, posts=posts, negative=negative, answers=answers) if posts or answers else NEW


class Threads:
    """Conversations that grow while posts are gone through in the order in which they were heard."""

    def __init__(self, known: Mapping[Key, ConversationFacts]) -> None:
        self._known = known
        self._talks: dict[Key, _Talk] = {}
        self._by_id: dict[int | None, _Talk] = {}

    def hear(self, post: Post, mood: str) -> ConversationFacts:
        """What was known of the conversation of this post before it.

        A post that ties two conversations together sees both histories, and the rest of the older one, which lives on.
        """
        names = names_of(post)
        found: list[_Talk] = []
        for name in names:
            talk = self._talk(name)
            if talk is not None and talk not in found:
                found.append(talk)
        found.sort(key=lambda each: (each.facts.id is None, each.facts.id or 0))
        talk = found[0] if found else _Talk(NEW)
        for other in found[1:]:
            talk.absorb(other)
        self._talks.update(dict.fromkeys(names, talk))
        before = talk.facts
        talk.add(post, mood)
        return before

    def _talk(self, name: Key) -> _Talk | None:
        talk = self._talks.get(name)
        if talk is None and (facts := self._known.get(name)) is not None:
            talk = self._by_id.setdefault(facts.id, _Talk(facts))
        return talk.root() if talk else None


class _Talk:
    """One conversation while a batch is gone through."""

    def __init__(self, facts: ConversationFacts) -> None:
        self.facts = facts
        self.into: _Talk | None = None

    def root(self) -> _Talk:
        talk = self
        while talk.into is not None:
            talk = talk.into
        return talk

    def absorb(self, other: _Talk) -> None:
        other.into = self
        one, two = self.facts, other.facts
        self.facts = replace(
            one,
            posts=tuple(sorted((*one.posts, *two.posts))[-MOST_SAID:]),
            negative=tuple(sorted((*one.negative, *two.negative))[-MOST_SAID:]),
            answers=tuple(sorted((*one.answers, *two.answers))[-MOST_SAID:]),
            waiting_since=min(filter(None, (one.waiting_since, two.waiting_since)), default=None),
        )

    def add(self, post: Post, mood: str) -> None:
        facts, at = self.facts, post.created_at
        if post.kind == "repost" or post.deleted:
            return
        waits = facts.waiting_since
        if post.author.ours:
            answers = _with(facts.answers, at)
            # an answer that is heard late leaves what they said after it waiting
            waits = min((said for said in facts.posts if said > answers[-1]), default=None) if waits else None
            self.facts = replace(facts, answers=answers, waiting_since=waits)
            return
        if not facts.answers or facts.answers[-1] <= at:
            waits = min(waits or at, at)
        self.facts = replace(
            facts,
            posts=_with(facts.posts, at),
            negative=_with(facts.negative, at) if mood == "negative" else facts.negative,
            waiting_since=waits,
        )


def _with(moments: tuple[dt.datetime, ...], at: dt.datetime) -> tuple[dt.datetime, ...]:
    """With one more, the newest last; what is heard late stands where it belongs."""
    more = (*moments, at)
    return (more if not moments or moments[-1] <= at else tuple(sorted(more)))[-MOST_SAID:]
