"""What a search of the desk finds: words through their index, operators on the columns of conversations.

Whatever is asked, at most `FOUND` conversations are found, newest first, so that a search costs the same in a small
workspace and in one with a million posts.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from django.db.models import F, Q, QuerySet

from rapport.core.search import HAS, MACHINE, STATES, Problems, Search, SearchProblem, Term, read_day
from rapport.core.text import fold
from rapport.store.models import Channel, Conversation, Membership
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import LISTED, in_sight, visible_baskets, visible_colleagues
from rapport.store.queries.felt import has_intent, has_mood
from rapport.store.queries.prepared import Prepared
from rapport.store.queries.search import (
    EXAMINED,
    FOUND,
    STEP,
    conversations_holding,
    find_among,
    find_conversations,
    find_people,
    gather,
)
from rapport.store.queries.tags import with_tags

#: conversations of the channels of a network up to which they are read by channel instead of by time
FEW = 20_000
#: conversations up to which what is said in them is read, instead of looking for the words everywhere
READ = 1_000
#: words that `has:` takes for moods; the others are intents
_MOODS = frozenset({"negative", "neutral", "positive"})
T = TypeVar("T")
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Narrow(msgspec.Struct, frozen=True):
    """The operators of a search, as what they ask of a conversation."""

    states: frozenset[str]
    #: on columns that lead no index, so that rows which were found are narrowed by their id
    where: Q
    tags: tuple[str, ...] = ()
    untagged: tuple[str, ...] = ()
    #: None: from anybody
    people: frozenset[int] | None = None
    #: channels of the networks that were asked for, or that are left; None: any
    channels: frozenset[int] | None = None

    def of(self, member: Membership, conversations: Sequence[int]) -> list[int]:
        """Those of `conversations` that the member sees and that are like this, in the given order."""
        seen = in_sight(member, conversations, self.states)
        if not seen:
            return []
        rows = Conversation.objects.filter(self.where, pk__in=seen)
        rows = with_tags(rows, member.workspace_id, self.tags)
        for tag in self.untagged:
            rows = rows.exclude(pk__in=with_tags(Conversation.objects.filter(pk__in=seen), member.workspace_id, [tag]))
        kept = set(rows.values_list("pk", flat=True))
        return [each for each in seen if each in kept]


def search(
    member: Membership, asked: Search, states: Collection[str] = frozenset(LISTED), *, today: dt.date, zone: dt.tzinfo
) -> ScopedQuerySet[Conversation]:
    """Conversations within sight that the search describes; at most `FOUND`, the newest ones.

    `states`: which are looked through where the search does not say it with `is:`; `today` and `zone`: those of the
    person who asks. Raises `SearchProblem` for a basket, network or colleague that nobody of this name is.
    """
    narrow = read_operators(member, asked, frozenset(states), today, zone)
    if narrow.people is not None and not narrow.people:
        return Conversation.objects.none()
    sight = functools.partial(narrow.of, member)
    few = _few(narrow, member) if asked.words or asked.phrases else None
    if few is not None:
        among = find_among(sight(few), asked.words, phrases=asked.phrases, without=asked.unwanted)
        return Conversation.objects.filter(pk__in=among[:FOUND])
    if asked.words or asked.phrases:
        found = find_conversations(
            member.workspace_id, asked.words, sight, phrases=asked.phrases, without=asked.unwanted
        )  # fmt: skip
        return Conversation.objects.filter(pk__in=found)
    if not any(term.name for term in asked.terms):
        if asked.unwanted:
            raise SearchProblem(0, "say also what to look for: nearly everything is without these words.")
        return Conversation.objects.none()
    for words in asked.unwanted:
        unwanted = conversations_holding(member.workspace_id, words)
        narrow = msgspec.structs.replace(narrow, where=narrow.where & ~Q(pk__in=unwanted))
    found = gather([_candidates(member, narrow)], functools.partial(narrow.of, member))
    return Conversation.objects.filter(pk__in=found)


def _few(narrow: Narrow, member: Membership) -> list[int] | None:
    """The conversations by the narrowest of the operators, newest first, where they are few enough to be read."""
    rows = _by_operator(member, narrow)
    if rows is None:
        return None
    found = list(rows.values_list("last_post_at", "pk")[: READ + 1])
    oldest = dt.datetime.min.replace(tzinfo=dt.UTC)
    newest_first = sorted(found, key=lambda row: (row[0] or oldest, row[1]), reverse=True)
    return [pk for _, pk in newest_first] if len(found) <= READ else None


def _by_operator(member: Membership, narrow: Narrow) -> ScopedQuerySet[Conversation] | None:
    """The conversations that the narrowest of the operators names; None where none of them leads an index."""
    if narrow.people is not None:
        return Conversation.objects.filter(person_id__in=narrow.people)
    if narrow.tags:
        return with_tags(Conversation.objects.of(member.workspace_id), member.workspace_id, narrow.tags)
    if narrow.channels is not None:
        return Conversation.objects.filter(channel_id__in=narrow.channels)
    return None


def _candidates(member: Membership, narrow: Narrow) -> Iterator[list[int]]:
    """Conversations by the narrowest of the operators, newest first, some at a time."""
    rows = _by_operator(member, narrow)
    by_channel = narrow.people is None and not narrow.tags
    if rows is None or (by_channel and rows[:FEW].count() == FEW):
        yield _walk(member, narrow)
        return
    found = list(rows.order_by(F("last_post_at").desc(nulls_last=True), "-pk").values_list("pk", flat=True)[:EXAMINED])
    for at in range(0, len(found), STEP):
        yield found[at : at + STEP]


def _walk(member: Membership, narrow: Narrow) -> list[int]:
    """The newest `FOUND` of what the member sees, each basket and state along its own index."""
    newest: list[tuple[Any, int]] = []
    here = Conversation.objects.of(member.workspace_id).filter(narrow.where)
    baskets = list(visible_baskets(member).values_list("pk", flat=True))
    elsewhere = Q(basket__isnull=True) if member.sees_every_basket is True else Q(assignee=member)
    for state in sorted(narrow.states):
        of_state = here.filter(state=state)
        in_basket = Prepared(
            lambda basket, since, rows=of_state: _dated(rows.filter(basket=basket), since), int, dt.datetime
        )
        for basket in baskets:
            newest = _newest_of(newest, in_basket.rows(basket, _floor(newest)))
        rest = Prepared(lambda since, rows=of_state: _dated(rows.filter(elsewhere), since), dt.datetime)
        newest = _newest_of(newest, rest.rows(_floor(newest)))
    return [pk for _, pk in newest]


def _dated(rows: ScopedQuerySet[Conversation], since: dt.datetime) -> QuerySet[Conversation, tuple[Any, ...]]:
    dated = rows.filter(last_post_at__gte=since).order_by("-last_post_at")
    return dated.values_list("last_post_at", "pk")[:FOUND]


def _newest_of(known: list[tuple[Any, int]], more: Iterable[tuple[Any, ...]]) -> list[tuple[Any, int]]:
    return sorted({*known, *((at, pk) for at, pk in more)}, reverse=True)[:FOUND]


def _floor(newest: Sequence[tuple[Any, int]]) -> Any:
    """What is older than all of so many is not among the newest: from when on it is worth looking."""
    return newest[-1][0] if len(newest) == FOUND else _LONG_AGO


# ---------------------------------------------------------------- what the operators mean


def read_operators(
    member: Membership, asked: Search, states: frozenset[str], today: dt.date, zone: dt.tzinfo
) -> Narrow:
    """The operators as conditions. Raises `SearchProblem`: of what was read, and of names that nothing has."""
    problems = Problems(asked.problems)
    wanted = {term.value for term in asked.of("is") if term.value in STATES}
    unwanted = {term.value for term in asked.of("is", without=True)}
    where = _days(asked, today, zone, problems)
    where &= _either(asked, "in", lambda term: Q(basket__in=_baskets(member, term)), problems)
    where &= _either(asked, "assignee", lambda term: _assigned(member, term), problems)
    where &= _either(asked, "network", lambda term: Q(network=_network(member, term)), problems)
    problems.raise_them()
    if any(term.value == MACHINE for term in asked.of("is")):
        where &= Q(automated=True)
    if MACHINE in unwanted:
        where &= Q(automated__isnull=True) | Q(automated=False)
    for term in asked.of("has"):
        where &= _felt(term)
    for term in asked.of("has", without=True):
        # not read, or read as something else
        where &= Q(mood__isnull=True) | ~_felt(term) if term.value in _MOODS else Q(intents__isnull=True) | ~_felt(term)
    people = None
    for term in asked.of("from"):
        called = frozenset(find_people(member.workspace_id, term.value))
        people = called if people is None else people | called
    for term in asked.of("from", without=True):
        where &= Q(person__isnull=True) | ~Q(person__in=find_people(member.workspace_id, term.value))
    if people is not None:
        where &= Q(person_id__in=people)
    networks = {term.value.lower() for term in asked.of("network")}
    others = {term.value.lower() for term in asked.of("network", without=True)}
    channels = Channel.objects.of(member.workspace_id).exclude(network__in=others)
    if networks:
        channels = channels.filter(network__in=networks)
    return Narrow(
        states=(frozenset(wanted) or states) - unwanted, where=where, people=people,
        tags=tuple(_tag(term) for term in asked.of("tag")),
        untagged=tuple(_tag(term) for term in asked.of("tag", without=True)),
        channels=frozenset(channels.values_list("pk", flat=True)) if networks or others else None,
    )  # fmt: skip


def _either(asked: Search, name: str, find: Callable[[Term], Q], problems: Problems) -> Q:
    """Any of what an operator asks for, and nothing of what it leaves out."""

    def read(term: Term) -> Q:
        return problems.read(functools.partial(find, term), Q())

    wanted = [read(term) for term in asked.of(name)]
    found = functools.reduce(operator.or_, wanted) if wanted else Q()
    for term in asked.of(name, without=True):
        found &= ~read(term)
    return found


def _days(asked: Search, today: dt.date, zone: dt.tzinfo, problems: Problems) -> Q:
    def begins(term: Term) -> dt.datetime:
        day = problems.read(functools.partial(read_day, term, today), today)
        return dt.datetime.combine(day, dt.time(), zone)

    where = Q()
    for name in ("before", "after"):
        for term in (*asked.of(name), *asked.of(name, without=True)):
            earlier = (name == "before") != term.without
            where &= Q(last_post_at__lt=begins(term)) if earlier else Q(last_post_at__gte=begins(term))
    return where


def _felt(term: Term) -> Q:
    return has_mood(term.value) if term.value in _MOODS else has_intent(term.value)


def _tag(term: Term) -> str:
    return term.value.lstrip("#").lower()


def _baskets(member: Membership, term: Term) -> list[int]:
    baskets = list(visible_baskets(member))
    found = [each for each in baskets if term.value.lower() == each.slug or fold(term.value) == fold(each.name)]
    return [each.pk for each in _some(found, term, "basket", (each.slug for each in baskets))]


def _network(member: Membership, term: Term) -> str:
    known = Channel.objects.of(member.workspace_id).order_by("network").values_list("network", flat=True).distinct()
    networks = list(known)
    return _some([each for each in networks if each == term.value.lower()], term, "network", networks)[0]


def _assigned(member: Membership, term: Term) -> Q:
    wanted = fold(term.value)
    if wanted == "me":
        return Q(assignee=member)
    if wanted in {"none", "nobody"}:
        return Q(assignee__isnull=True)
    colleagues = list(visible_colleagues(member).select_related("user"))
    found = [each for each in colleagues if any(word.startswith(wanted) for word in fold(str(each)).split())]
    found = found or [each for each in colleagues if fold(str(each)).startswith(wanted)]
    names = ("me", "nobody", *(str(each).split()[0] for each in colleagues if str(each).strip()))
    return Q(assignee__in=[each.pk for each in _some(found, term, "colleague", names)])


def _some(found: Sequence[T], term: Term, what: str, known: Iterable[str]) -> Sequence[T]:
    """What was found; nothing is a mistake that says what there is."""
    if found:
        return found
    names = ", ".join(list(known)[:12]) or "–"
    if what == "basket":
        raise SearchProblem(term.position, f"you see no basket called “{term.value}”. There is: {names}.")
    if what == "colleague":
        raise SearchProblem(term.position, f"you see no colleague called “{term.value}”. There is: {names}.")
    raise SearchProblem(term.position, f"you see no network called “{term.value}”. There is: {names}.")


assert set(HAS) > _MOODS
