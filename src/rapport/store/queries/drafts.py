"""Words to begin an answer from: what a rule chose, what we answered to something like it, articles, a service's."""

from __future__ import annotations

import datetime as dt
from threading import Lock

import msgspec
from django.db.models import Max

from rapport.core.draft import retell
from rapport.core.likeness import Index
from rapport.core.mask import is_personal
from rapport.store.models import (
    Approval,
    Article,
    Conversation,
    Delivery,
    Draft,
    DraftSource,
    DraftVersion,
    Membership,
    Outcome,
    Post,
    PreparedReply,
)
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import within_sight
from rapport.store.queries.outbound import address, fill_in, newest_inbound
from rapport.store.queries.snippets import like_snippets

#: answers that are looked through: the newest ones
MOST_ANSWERS = 20_000
#: what is less alike is not offered; what that gives on real threads: docs/reference/drafts.md
LEAST = 0.2
#: of each kind at most so many are offered
OFFERED_ANSWERS, OFFERED_REPLIES, OFFERED_ARTICLES = 3, 3, 2
#: answers that are weighed before the best are chosen
_WEIGHED = 40
#: how much more an answer counts after which they spoke well, and how much less after which they did not
_LIKED, _DISLIKED = 1.15, 0.8
MOST_DRAFTS = 100


class Offered(msgspec.Struct, frozen=True):
    """Words to begin from, with everything that somebody needs to choose."""

    #: what a form calls it: the slug of a prepared reply, "alike:ROW", "article:ROW" or "service"
    begun: str
    source: str
    #: of the prepared reply or the article
    name: str
    text: str
    #: 0..1, to what was asked; 0 = it was chosen by name
    likeness: float = 0.0
    #: what it was the answer to, by whom and when; of an answer alone
    answered: str = ""
    by: str = ""
    at: dt.datetime | None = None
    #: of a service: the model
    model: str = ""

    @property
    def percent(self) -> int:
        """The likeness as people read it."""
        return round(self.likeness * 100)


def take_up(conversation: Conversation, member: Membership, begun: str = "") -> Offered | None:
    """The words that `begun` stands for, with the names filled in; without it what the machine put there: the prepared
    reply that a rule chose, else what a service wrote. None where there is no such thing or nobody to answer.
    """
    newest = newest_inbound(conversation)
    if newest is None:
        return None
    kind, _, row = begun.partition(":")
    if begun == "service":
        return _of_service(conversation)
    if kind in {"alike", "article"} and row.isascii() and row.isdigit() and len(row) < 19:
        return (_answer if kind == "alike" else _article)(conversation, member, newest, int(row))
    found = _reply(conversation, member, newest, begun or conversation.draft_slug)
    return found if found is not None or begun else _of_service(conversation)


def _reply(conversation: Conversation, member: Membership, newest: Post, slug: str) -> Offered | None:
    reply = PreparedReply.objects.of(conversation.workspace_id).filter(slug=slug).first() if slug else None
    return None if reply is None else filled(reply, newest, conversation, member)


def filled(
    reply: PreparedReply, newest: Post, conversation: Conversation, member: Membership, likeness: float = 0.0
) -> Offered:
    """A prepared reply with the names of these people in it."""
    text = fill_in(reply, newest, conversation, member).text
    source = DraftSource.RULE if reply.slug == conversation.draft_slug else DraftSource.SNIPPET
    return Offered(reply.slug, source, reply.name, text, likeness)


def _of_service(conversation: Conversation) -> Offered | None:
    row = machine_draft(conversation)
    return (
        None
        if row is None
        else Offered("service", DraftSource.SERVICE, row.model or "", row.text, model=row.model or "")
    )


def machine_draft(conversation: Conversation) -> Draft | None:
    """What a service wrote for this conversation and nobody has sent."""
    rows = Draft.objects.of(conversation.workspace_id).filter(conversation=conversation, author__isnull=True)
    return rows.filter(source=DraftSource.SERVICE).exclude(text="").first()


def is_unread(text: str, written: Draft | None, own: Draft | None) -> bool:
    """Whether `text` is word for word what a service wrote, and the person whose draft `own` is has not confirmed it.

    `written`: the service's draft that still stands in the conversation.
    """
    origins = [written.text if written else "", (own.origin or "") if own and own.source == DraftSource.SERVICE else ""]
    if not text.strip() or all(each.split() != text.split() for each in origins):
        return False
    return own is None or own.confirmed_at is None or (own.origin or "").split() != text.split()


def is_unread_here(conversation: Conversation, text: str) -> bool:
    """Whether `text` is word for word what a service wrote for this conversation, now or before, and nobody has
    confirmed it.
    """
    said = text.split()
    rows = Draft.objects.of(conversation.workspace_id).filter(conversation=conversation, source=DraftSource.SERVICE)
    drafts = list(rows.only("author_id", "text", "origin", "confirmed_at"))
    if any(row.confirmed_at and (row.origin or "").split() == said for row in drafts):
        return False
    written = [row.origin or row.text for row in drafts]
    earlier = DraftVersion.objects.of(conversation.workspace_id).filter(conversation=conversation, author=None)
    return bool(said) and any(each.split() == said for each in [*written, *earlier.values_list("text", flat=True)])


def _article(conversation: Conversation, member: Membership, newest: Post, pk: int) -> Offered | None:
    row = _articles(conversation.workspace_id).filter(pk=pk).first()
    return _of_article(row, newest) if row else None


def _of_article(row: Article, newest: Post, likeness: float = 0.0) -> Offered:
    text = f"{row.text.strip()} {row.link}".strip() if row.link and row.link not in row.text else row.text.strip()
    return Offered(f"article:{row.pk}", DraftSource.ARTICLE, row.title, address(newest, text), likeness)


def _articles(workspace: int) -> ScopedQuerySet[Article]:
    return Article.objects.of(workspace).filter(kind=Article.Kind.HELP, active=True)


def answers(workspace: int) -> ScopedQuerySet[Approval]:
    """Replies of people that went out in public and still stand."""
    return Approval.objects.of(workspace).filter(
        kind__isnull=True, machine__isnull=True, erased_at__isnull=True, target__isnull=False,
        delivery__state=Delivery.State.SENT,
    ).exclude(visibility="direct")  # fmt: skip


def _answer(conversation: Conversation, member: Membership, newest: Post, pk: int) -> Offered | None:
    found = _readable_answers(member).filter(pk=pk).first()
    return _of_answer(found, newest) if found else None


def _readable_answers(member: Membership) -> ScopedQuerySet[Approval]:
    rows = answers(member.workspace_id).filter(within_sight(member), target__deleted=False)
    return rows.select_related("person__user", "target__handle__person")


def _of_answer(row: Approval, newest: Post, likeness: float = 0.0) -> Offered:
    was, person = row.answered.handle, newest.handle.person
    text = retell(
        row.text, was_name=was.name or was.person.name, was_handle=was.handle, name=person.name or newest.handle.name,
        handle=newest.handle.handle,
    )  # fmt: skip
    return Offered(
        f"alike:{row.pk}", DraftSource.ALIKE, "", address(newest, text), likeness, row.answered.text,
        str(row.person or ""), row.approved_at,
    )  # fmt: skip


# ---------------------------------------------------------------- by likeness


def offered(conversation: Conversation, member: Membership) -> list[Offered]:
    """What may be begun from, of each source the nearest to their newest word first; a service's draft before all."""
    newest = newest_inbound(conversation)
    if newest is None:
        return []
    written = _of_service(conversation)
    return [
        *([written] if written else []),
        *_like_answers(conversation, member, newest),
        *_like_replies(conversation, member, newest),
        *_like_articles(conversation, newest),
    ]


def _like_answers(conversation: Conversation, member: Membership, newest: Post) -> list[Offered]:
    known = _index_of(conversation.workspace_id)
    near = {known.rows[each.position]: each.likeness for each in known.index.nearest(newest.text, _WEIGHED, LEAST)}
    rows = [
        row
        for row in _readable_answers(member).filter(pk__in=near)
        if row.conversation_id != conversation.pk and not is_personal(row.text)
    ]
    weights = _weigh(rows)
    best: dict[str, tuple[float, Approval]] = {}
    for row in rows:
        # the same words to many are one answer: the one whose question was nearest stands for them
        words = " ".join(_of_answer(row, newest).text.casefold().split())
        rank = near[row.pk] * weights.get(row.pk, 1.0)
        if words and (words not in best or rank > best[words][0]):
            best[words] = (rank, row)
    chosen = sorted(best.values(), key=lambda each: (-each[0], -each[1].pk))[:OFFERED_ANSWERS]
    return [_of_answer(row, newest, near[row.pk]) for _rank, row in chosen]


def _weigh(rows: list[Approval]) -> dict[int, float]:
    """Row id -> how they took the answer: the mood of their next word in that conversation."""
    said: dict[int, list[tuple[dt.datetime, str]]] = {}
    places = {row.conversation_id for row in rows}
    moods = Outcome.objects.filter(post__conversation_id__in=places, post__ours=False, post__deleted=False)
    for place, at, mood in moods.order_by("post__sort_at").values_list(
        "post__conversation_id", "post__sort_at", "sentiment"
    ):
        said.setdefault(place or 0, []).append((at, mood))
    told = {"positive": _LIKED, "negative": _DISLIKED}
    weights = {}
    for row in rows:
        after = next((mood for at, mood in said.get(row.conversation_id or 0, []) if at > row.approved_at), "")
        weights[row.pk] = told.get(after, 1.0)
    return weights


def _like_replies(conversation: Conversation, member: Membership, newest: Post) -> list[Offered]:
    near = like_snippets(conversation, newest, OFFERED_REPLIES)
    return [filled(row, newest, conversation, member, likeness) for row, likeness in near]


def _like_articles(conversation: Conversation, newest: Post) -> list[Offered]:
    rows = list(_articles(conversation.workspace_id))
    near = Index([f"{row.title} {row.text}" for row in rows]).nearest(newest.text, OFFERED_ARTICLES, LEAST / 2)
    return [_of_article(rows[each.position], newest, each.likeness) for each in near]


class _Known(msgspec.Struct, frozen=True):
    """What was asked, ready to be looked up: of each text only the places of its words are kept."""

    index: Index
    rows: list[int]
    newest: int


_known: dict[int, _Known] = {}
_making = Lock()


def _index_of(workspace: int) -> _Known:
    """The index of what was answered; made anew when a fiftieth was answered since, in one thread at a time."""
    known = _known.get(workspace)
    newest = answers(workspace).aggregate(newest=Max("pk"))["newest"] or 0
    if known is not None and newest - known.newest <= len(known.rows) // 50 and newest >= known.newest:
        return known
    if known is not None and not _making.acquire(blocking=False):
        return known
    if known is None:
        _making.acquire()
    try:
        rows = answers(workspace).order_by("-pk").values_list("pk", "target__text")[:MOST_ANSWERS]
        found = list(rows)[::-1]
        made = _known[workspace] = _Known(Index([text for _, text in found]), [pk for pk, _ in found], newest)
    finally:
        _making.release()
    return made


# ---------------------------------------------------------------- people's drafts


def own_drafts(member: Membership) -> list[Draft]:
    """What the member began and did not send, the newest first, as far as it is in sight."""
    rows = Draft.objects.of(member.workspace_id).filter(within_sight(member), author=member).exclude(text="")
    return list(_with_place(rows)[:MOST_DRAFTS])


def shared_drafts(member: Membership) -> list[Draft]:
    """Drafts that colleagues show to everybody who sees the conversation, the newest first."""
    rows = Draft.objects.of(member.workspace_id).filter(within_sight(member), shared=True, author__active=True)
    return list(_with_place(rows.exclude(author=member).exclude(text=""))[:MOST_DRAFTS])


def _with_place(rows: ScopedQuerySet[Draft]) -> ScopedQuerySet[Draft]:
    return rows.select_related("conversation__person", "conversation__basket", "author__user").order_by("-updated_at")


def versions_of(conversation: Conversation, member: Membership) -> list[DraftVersion]:
    """Earlier words of the member's own draft, the newest first."""
    rows = DraftVersion.objects.of(member.workspace_id).filter(conversation=conversation, author=member)
    return list(rows.order_by("-pk"))
