"""How likely an account is automated, from its profile, its rhythm and its repetitions, with the reasons.

    log-odds = profile + rhythm + repetition

The profile gives the start (`understand/profile.py`), within bounds that say how far it may be trusted; where the
network tells too little of it, the start is `PRIOR`. Rhythm and repetition (`understand/habits.py`) add to it and never
take away. What the account says of itself, and what a person of the team says of it, wins over all of this.
"""

from __future__ import annotations

import datetime as dt
import math

import msgspec

from rapport.core.decision import AccountScore, PersonFacts
from rapport.core.post import Author, Post
from rapport.core.understand.habits import Sign, weigh_repetition, weigh_rhythm
from rapport.core.understand.profile import FIGURES, Profile, is_told, weigh_profile

#: log-odds of an account of which nothing is known: one in ten
PRIOR = math.log(0.1 / 0.9)
#: bounds of what a profile says where it tells how much the account has liked: 0.02 to 0.95
LEAST, MOST = -4.0, 3.0
#: the upper bound elsewhere, and for an account that has hardly begun: as likely as not
UNSURE = 0.0
#: an account with fewer posts has hardly begun, and looks like those that were never used
BEGUN = 20
#: from here on an account is treated and shown as automated
PROBABLE = 0.8
#: a part of the profile that adds so much log-odds is named as a reason
WORTH_NAMING = 0.7


class AccountFacts(msgspec.Struct, frozen=True, gc=False):
    """What is known of an account; None where it is not."""

    profile: Profile = Profile()
    #: the account says itself that it is automated
    says_bot: bool = False
    #: when it posted lately, as far as we heard it, in any order
    moments: tuple[dt.datetime, ...] = ()
    #: of its last texts, the shares that nearly repeat an earlier one and that carry a link, 0 to 1
    copied: float | None = None
    linked: float | None = None
    #: what a person of the team said: True automated, False not; None: nobody said
    word: bool | None = None


def score_account(facts: AccountFacts) -> AccountScore | None:
    """The score of an account; None where there is nothing to judge by."""
    if facts.says_bot:
        return AccountScore(1.0, ("the account says so itself",))
    if facts.word is not None:
        return AccountScore(1.0, ("a colleague said so",)) if facts.word else AccountScore(0.0)
    told = is_told(facts.profile)
    signs = weigh_rhythm(facts.moments) + weigh_repetition(facts.copied, facts.linked)
    if not told and not signs:
        return None
    logit, shares = _trusted(facts.profile) if told else (PRIOR, {})
    logit += math.fsum(sign.points for sign in signs)
    bot = round(1 / (1 + math.exp(-logit)), 3)
    if bot < 0.5:
        return AccountScore(bot)
    found = sorted(signs + _name(facts.profile, shares), key=lambda sign: -sign.points)
    return AccountScore(bot, tuple(sign.reason for sign in found))


def is_automated(says_bot: bool, word: bool | None, score: float | None) -> bool:
    """Whether an account is treated as a machine: its own word, then that of a person of the team, then the score."""
    if says_bot or word is not None:
        return says_bot or bool(word)
    return score is not None and score >= PROBABLE


def score_author(post: Post, facts: PersonFacts) -> AccountScore | None:
    """The score of who wrote a post, from what the network tells with it and what was known before; None for ours."""
    author = post.author
    if author.ours:
        return None
    return score_account(
        AccountFacts(
            profile_of(author), author.bot, (*facts.posts, post.created_at), facts.copied, facts.linked, facts.bot_word
        )
    )


def knowing(facts: PersonFacts, account: AccountScore | None) -> PersonFacts:
    """What is known of a person, with the score of the account that speaks: what rules ask about."""
    return facts if account is None else msgspec.structs.replace(facts, bot_score=account.bot)


def profile_of(author: Author) -> Profile:
    """The figures that a network told of an author."""
    return Profile(author.bio, author.followers, author.following, author.posts, author.likes, author.listed)


def _trusted(profile: Profile) -> tuple[float, dict[str, float]]:
    logit, shares = weigh_profile(profile)
    hardly_begun = profile.posts is not None and profile.posts < BEGUN
    most = UNSURE if profile.likes is None or hardly_begun else MOST
    return min(most, max(LEAST, logit)), shares


def _name(profile: Profile, shares: dict[str, float]) -> list[Sign]:
    """The parts of a profile that spoke for a machine, in words."""
    parts: dict[str, float] = {}
    for figure, points in shares.items():
        parts[FIGURES[figure]] = parts.get(FIGURES[figure], 0.0) + points
    words = {
        "circle": f"{_count(profile.followers, 'follower')}, follows {_number(profile.following)}",
        "posts": _count(profile.posts, "post"),
        "likes": f"has liked {_count(profile.likes, 'post')}",
        "listed": f"on {_count(profile.listed, 'list')}",
        "bio": "says little about itself",
    }
    return [Sign(points, words[part]) for part, points in parts.items() if points >= WORTH_NAMING]


def _number(value: int | None) -> str:
    return "an unknown number" if value is None else f"{value:,}"


def _count(value: int | None, what: str) -> str:
    return f"{_number(value)} {what}{'' if value == 1 else 's'}"
