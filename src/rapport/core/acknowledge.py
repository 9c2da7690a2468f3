"""The one word that a machine may say in a conversation: that it was heard, and when a person answers.

Pure: what its text must contain, when it may be said, and how it reads. Whether it may be said at all is an admin's
decision (`AcknowledgementSettings`).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

import msgspec

from rapport.core.draft import first_name
from rapport.core.errors import InvalidInput
from rapport.core.guard.autonomy import ActFacts, stands_against
from rapport.core.post import Post

#: what can stand in braces, and what it becomes
PLACEHOLDERS = {
    "name": "the person's first name; left out with the blank before it when they have none",
    "hours": "when people answer: the hours of the basket, or the next opening",
    "help": "the addresses of the help pages",
}
MAX_TEXT = 2_000  # characters
#: it answers what has just been said, or nothing
FRESH = dt.timedelta(hours=1)
#: one person hears it once within this time, whatever they begin: two machines that answer one another fall silent
REST = dt.timedelta(days=1)
#: kinds of posts that speak to us in private or in a place of ours; a public post does where it names us
_TO_US = frozenset({"message", "mail", "comment"})
_PUBLIC = frozenset({"post", "reply", "quote", "topic"})

#: beginnings of "automatic" and its like, without accents, in the languages of Europe and the largest of Asia
_HONEST = (
    "automat", "avtomat", "автомат", "αυτοματ", "otomatik", "automaat", "自動", "自动", "자동", "تلقائي", "آلي",
    "אוטומט", "tu dong", "อัตโนมัติ", "स्वचालित", "sjalfvirk", "uathoibrioch",
)  # fmt: skip
_DENIED = re.compile(
    r"\b(?:not|no|isn't|never|nicht|kein\w*|keine|pas|non|niet|nie|inte|ikke|nao)\s+(?:an?\s+|ein\w*\s+|une?\s+)?auto"
)
_PLACEHOLDER = re.compile(r"\{([^{}\n]{0,80})\}")
_MARKS = {"ı": "i", "đ": "d", "ł": "l", "’": "'"}

#: a beginning for the page of the settings
EXAMPLE = (
    "Hello {name}, this is an automatic message: we have read that you need us, and a person will answer you here. "
    "We are here {hours}. This may help until then: {help}"
)


class Wish(msgspec.Struct, frozen=True):
    """What is known of a post that might be acknowledged."""

    post: Post
    #: slug and state of its conversation
    basket: str
    state: str
    facts: ActFacts
    #: our own handles on its network, in lower case without @
    handles: Collection[str]
    #: it was said already in this conversation, or to this person within `REST`
    said: bool
    #: a person of ours spoke here, or their answer is on its way
    answered: bool


#: local parts by which a mailbox says that nobody reads it; an automatic mail there is lost or starts a loop
_NO_REPLY = re.compile(r"(?:do[-_.]?not[-_.]?|no[-_.]?|nicht[-_.]?)(?:reply|antworten)(?:[+=_.-].*)?@", re.IGNORECASE)


def why_not(wish: Wish, baskets: Collection[str], now: dt.datetime) -> str:
    """Why it is not said to this post; "" = it may be. One reason, the most telling first."""
    if cause := stands_against(wish.facts):
        return cause
    causes = (
        (not speaks_to_us(wish.post, wish.handles), "The post does not speak to us."),
        (
            wish.post.kind == "mail" and _NO_REPLY.match(wish.post.author.handle) is not None,
            "Nobody reads what is sent to this address.",
        ),
        (wish.said, "It was said already: once in a conversation, and once a day to a person."),
        (wish.answered, "A person has answered here."),
        (wish.state != "open", "The conversation is not open."),
        (wish.basket not in baskets, "It is not said in this basket."),
        (wish.post.created_at < now - FRESH, "The post is older than an hour."),
    )
    return next((cause for stands, cause in causes if stands), "")


def speaks_to_us(post: Post, handles: Collection[str]) -> bool:
    """Whether somebody turns to us with it: a message, a mail, a comment in our place, or a post that names us."""
    if post.kind in _TO_US or post.visibility == "direct":
        return True
    return post.kind in _PUBLIC and any(name.lstrip("@").lower() in handles for name in post.mentions)


def check_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """Language code -> text, cleaned. Raises `InvalidInput` that says how to mend.

    Each says that it is automatic and names no placeholder that does not exist. Where there is none for all other
    languages (""), nothing is said in these.
    """
    cleaned = {code.strip().lower(): text.strip() for code, text in texts.items() if text.strip()}
    for code, text in cleaned.items():
        where = f"The text for {code}" if code else "The text for all other languages"
        if code and not re.fullmatch(r"[a-z]{2,3}(?:-[a-z]{2,4})?", code):
            raise InvalidInput(f"{code[:20]!r} is no code of a language; write en, de, fr and so on.")
        if len(text) > MAX_TEXT:
            raise InvalidInput(f"{where} has {len(text):,} characters; at most {MAX_TEXT:,} fit.")
        for found in _PLACEHOLDER.findall(text):
            if found.strip() not in PLACEHOLDERS:
                there = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
                raise InvalidInput(f"{where} names {{{found[:40]}}}, which does not exist; there are {there}.")
        if not is_honest(text):
            raise InvalidInput(
                f"{where} must say that it is automatic: whoever reads it has a right to know that no person wrote it. "
                "Begin with “This is an automatic message”."
            )
    return cleaned


def is_honest(text: str) -> bool:
    """Whether it says that it is automatic, and does not deny it."""
    folded = _fold(text)
    return any(word in folded for word in _HONEST) and _DENIED.search(folded) is None


def _fold(text: str) -> str:
    lowered = unicodedata.normalize("NFC", text).lower()
    for mark, plain in _MARKS.items():
        lowered = lowered.replace(mark, plain)
    # accents of Latin and Greek go; the marks of Thai and Devanagari are letters of their words
    apart = unicodedata.normalize("NFD", lowered)
    return unicodedata.normalize("NFC", re.sub("[\u0300-\u0331]", "", apart))


def choose_text(texts: Mapping[str, str], language: str) -> tuple[str, str]:
    """(the text, its language): in that of the post, else the one for all others, whose language nobody knows ("").

    Both are "" where there is neither.
    """
    code = language.lower()
    for each in (code, code.partition("-")[0]):
        if each and texts.get(each):
            return texts[each], each
    return texts.get("", ""), ""


def write(text: str, *, name: str, hours: str, help_links: Sequence[str]) -> str:
    """The text as it goes out. `name`: the display name of the person."""
    values = {"name": first_name(name), "hours": hours, "help": " ".join(help_links)}

    def fill(found: re.Match[str]) -> str:
        value = values.get(found[1].strip(), "")
        # without a name "Hello {name}, ..." reads "Hello, ..."
        return value or ""

    filled = _PLACEHOLDER.sub(fill, text)
    return re.sub(r"[ \t]+([,.;:!?])", r"\1", re.sub(r"[ \t]{2,}", " ", filled)).strip()
