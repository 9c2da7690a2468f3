"""Rules tried on posts that were decided before: the newest of them for a preview, and one that somebody asks about."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec

from rapport.core.decision import NEW, Decision, Outcome, Step
from rapport.core.rules import Circumstances, RuleSet
from rapport.core.rules.cut import Beyond, asked_beyond, falls_short, was_read
from rapport.core.rules.syntax import Node
from rapport.core.understand.accounts import knowing
from rapport.store.mapping import post_of
from rapport.store.models import Channel, Conversation, Membership, Post
from rapport.store.models import Outcome as Row
from rapport.store.queries.desk import visible_conversations
from rapport.store.queries.talk import judge

#: posts that a rule is tried on while somebody writes it
NEWEST = 500


class Kept(msgspec.Struct, frozen=True):
    """A stored post and what was made of it."""

    post: Post
    outcome: Outcome
    zone: dt.tzinfo

    def decide(self, rules: RuleSet) -> Decision | None:
        """What these rules say of it, from what was known then; None where less was kept than they ask for."""
        return rules.decide(*self._arguments) if self._tells(rules) else None

    def explain(self, rules: RuleSet) -> tuple[Step, ...] | None:
        """As `decide`, with every rule that was tried."""
        return rules.explain(*self._arguments) if self._tells(rules) else None

    def _tells(self, rules: RuleSet) -> bool:
        facts = self.outcome.facts
        if facts is None or not was_read(facts, rules.asks):
            return False
        if self.outcome.conversation is None and rules.asks_about("conversation."):
            return False
        return not facts.cut or not falls_short(facts, _beyond(tuple(rule.node for rule in rules.rules)), self._at)

    @property
    def _at(self) -> dt.datetime:
        return self.outcome.decided_at or self.post.seen_at

    @property
    def _arguments(self):  # type: ignore[no-untyped-def]  # those of RuleSet.decide
        kept = self.outcome
        assert kept.facts is not None
        at = Circumstances(self._at, kept.business_hours, self.zone, frozenset(kept.handles))
        return (
            post_of(self.post, kept.author), kept.reading, kept.score, knowing(kept.facts, kept.account),
            frozenset(kept.topics), at, kept.toward, kept.conversation or NEW,
        )  # fmt: skip


@functools.lru_cache(maxsize=16)
def _beyond(conditions: tuple[Node, ...]) -> Beyond:
    return asked_beyond(conditions)


def newest_kept(member: Membership, limit: int = NEWEST) -> Iterator[Kept]:
    """The posts of others that were decided last, newest first. One query."""
    zone = ZoneInfo(member.workspace.timezone)
    rows = Row.objects.of(member.workspace_id).select_related("post__handle").order_by("-post_id")
    for row in rows.filter(post__ours=False, post__deleted=False)[:limit]:
        outcome = judge(row.post)
        if outcome is not None:
            yield Kept(row.post, outcome, zone)


def find_kept(member: Membership, asked: str) -> Kept | None:
    """The post that somebody means by its link on the network, by a link to its conversation here, or by its number.

    None where there is none, or not for this person. A conversation stands for the post that decided it.
    """
    asked = asked.strip()[:2_000]
    here = re.search(rf"(?:/w/{re.escape(member.workspace.slug)}/c/|\A#?)(\d{{1,18}})(?:[/?#].*)?\Z", asked)
    if here:
        talk = Conversation.objects.of(member.workspace_id).filter(pk=int(here[1])).first()
        row = talk.decided_by if talk else None
    else:
        row = _named_by(member.workspace_id, asked)
    posts = Post.objects.of(member.workspace_id).select_related("handle", "outcome")
    post = posts.filter(pk=row).first() if row else None
    if post is None or not visible_conversations(member).filter(pk=post.conversation_id or 0).exists():
        return None
    outcome = judge(post)
    return Kept(post, outcome, ZoneInfo(member.workspace.timezone)) if outcome else None


def _named_by(workspace_id: int, link: str) -> int | None:
    """Row of the post of a link: most end in its id, which is looked up at once; else by the address, post by post."""
    if "://" not in link:
        return None
    posts = Post.objects.of(workspace_id)
    networks = list(Channel.objects.of(workspace_id).order_by().values_list("network", flat=True).distinct())
    last = link.partition("?")[0].rstrip("/").rpartition("/")[2]
    for where in ({"network__in": networks, "external_id__in": [link, last]}, {"url": link}):
        for row, url, name in posts.filter(**where).values_list("pk", "url", "external_id")[:20]:
            if name == link or (url and link.startswith(url)):
                return row
    return None
