"""What queries look at: one post with its words, cut up once and shared by all queries that are tried on it."""

from __future__ import annotations

import datetime as dt
import re
from functools import cached_property, lru_cache

from rapport.core.post import Author, Post
from rapport.core.text import Words, fold, words

#: mentions that are remembered together
_FEW_MENTIONS = 3

_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)


class View:
    """One post, ready to be asked. Everything beyond the words of its text is worked out when first asked for."""

    def __init__(self, post: Post, found: Words | None = None) -> None:
        self.post = post
        if found is None:
            found = words(post.text)
        self.words: list[str] = found.words
        self.tags = found.tags
        self.glued = found.glued

    @cached_property
    def known(self) -> set[str]:
        """Everything that a single term can ask for: words ("delay"), tags ("#delay"), handles ("@ann"), and pairs of
        touching spaceless characters. What the network lists beside the text is in it too.
        """
        known = set(self.words)
        known.update(self.listed())
        return known

    def listed(self) -> list[str]:
        """What is in `known` beside the words of the text; some of it may come twice, or be a word of the text."""
        post = self.post
        listed: list[str] = []
        if self.tags:
            listed += [tag for tag, _, _ in self.tags]
        if self.glued:
            listed += [self.words[position - 1] + self.words[position] for position in self.glued]
        if len(post.mentions) <= _FEW_MENTIONS:
            listed += _names_of_handles(post.mentions)
        else:
            for mention in post.mentions:
                listed += _names_of_handle(mention)
        if post.hashtags:
            for hashtag in self._unwritten_hashtags:
                listed += hashtag.words
                listed += [tag for tag, _, _ in hashtag.tags]
                listed += _pairs(hashtag)
        return listed

    @classmethod
    def of_text(cls, text: str, found: Words | None = None) -> View:
        """A text alone, without author or links."""
        return cls(Post(network="", id="", text=text, created_at=_EPOCH, author=Author()), found)

    @cached_property
    def _unwritten_hashtags(self) -> list[Words]:
        """Hashtags that the network lists and the text does not show."""
        written = {tag for tag, _, _ in self.tags}
        return [_words_of_hashtag(tag) for tag in self.post.hashtags if "#" + tag.lower() not in written]

    @cached_property
    def runs(self) -> str:
        """The runs of spaceless characters, one a line."""
        lines: list[str] = []
        for source in (Words(self.words, self.tags, self.glued), *self._unwritten_hashtags):
            for position, word in enumerate(source.words):
                lines.append(word if position in source.glued else "\n" + word)
        return "".join(lines)

    @cached_property
    def lines(self) -> str:
        """`known`, one a line: what wildcards search."""
        return "\n".join(self.known)

    @cached_property
    def addresses(self) -> list[str]:
        """Web addresses that the network lists or the text shows."""
        return [*self.post.links, *_LINK.findall(self.post.text)]

    @cached_property
    def text_without_links(self) -> str:
        """The text with each web address replaced by a blank: a ? in an address asks nothing."""
        return _LINK.sub(" ", self.post.text)


def _pairs(found: Words) -> list[str]:
    return [found.words[position - 1] + found.words[position] for position in found.glued]


@lru_cache(maxsize=1 << 14)
def _names_of_handle(handle: str) -> tuple[str, ...]:
    """The ways to ask for a mentioned handle: in full, and by the part before the first dot or @."""
    bare = handle.lstrip("@")
    return ("@" + fold(bare), *words("@" + bare).words[:1])


@lru_cache(maxsize=1 << 13)
def _names_of_handles(handles: tuple[str, ...]) -> tuple[str, ...]:
    """As `_names_of_handle` for each: replies in a conversation mention the same few."""
    return tuple(dict.fromkeys(name for handle in handles for name in _names_of_handle(handle)))


@lru_cache(maxsize=1 << 14)
def _words_of_hashtag(hashtag: str) -> Words:
    return words("#" + hashtag.lstrip("#"))
