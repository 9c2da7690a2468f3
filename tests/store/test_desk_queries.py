"""What the desk reads through its indexes is what somebody would find who looked at every row."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import unicodedata
from collections.abc import Callable
from typing import Any, get_args

import pytest

from rapport.core.search import SearchProblem, parse_search
from rapport.store.queries import desk, search, searching

pytestmark = pytest.mark.django_db
WORDS = ("parcel", "parcels", "late", "Lateness", "Café", "cafes", "refund", "re-fund", "o'neill", "naïve", "x1", "RE")
STATES = ("open", "pending", "snoozed", "resolved", "quarantined", "merged", "unopened")


class Town:
    """Random people who talk with two workspaces at random."""

    def __init__(self, member: Any, channel: Any, seed: int, now: dt.datetime) -> None:
        from rapport.store.models import Basket, Membership

        self.random, self.feelings, self.promises = random.Random(seed), random.Random(seed), random.Random(seed)
        self.now, self.workspace, self.channel = now, member.workspace, channel
        self.baskets = list(Basket.objects.of(member.workspace))
        self.members = list(Membership.objects.of(member.workspace))
        self.numbers = itertools.count()

    def some(self, most: int) -> str:
        return " ".join(self.random.choices(WORDS, k=self.random.randint(1, most)))

    def person(self) -> Any:
        from rapport.store.models import Handle, Person

        given = {"first_seen": self.now, "last_seen": self.now, "name": self.some(2)}
        person = Person.objects.create(workspace=self.workspace, **given)
        for _ in range(self.random.randint(1, 2)):
            Handle.objects.create(
                workspace=self.workspace, person=person, network="mastodon", name=self.some(2),
                external_id=str(next(self.numbers)), handle=self.some(1).replace(" ", "_"),
            )  # fmt: skip
        return person

    def conversation(self, person: Any) -> Any:
        from rapport.store.models import Conversation

        chance, now = self.random, self.now
        return Conversation.objects.create(
            workspace=self.workspace, network="mastodon", channel=self.channel, person=person,
            basket=chance.choice([*self.baskets[:3], *self.baskets[:3], None]),
            assignee=chance.choice([None, *self.members]), state=chance.choice([*STATES, "open", "open"]),
            priority=chance.randint(0, 3), score=chance.choice([0, 10, 12.5, 25, 40]),
            waiting_since=chance.choice([None, now - dt.timedelta(minutes=chance.choice([0, 20, 59, 61, 300, 3000]))]),
            last_post_at=now - dt.timedelta(minutes=chance.randint(0, 9)),
            due_at=self.promises.choice([None, None, now + dt.timedelta(minutes=self.promises.randint(-50, 50))]),
            mood=self.feelings.choice([None, 0, 1, 2, 3]), intents=self.feelings.choice([None, 0, 1, 8, 9, 36, 63]),
        )  # fmt: skip

    def post(self, conversation: Any) -> Any:
        from rapport.store.models import Handle, Post

        handle = Handle.objects.filter(person=conversation.person).first()
        return Post.objects.create(
            workspace=self.workspace, channel=self.channel, handle=handle, network="mastodon", kind="post",
            conversation_id=conversation.pk, external_id=f"post-{next(self.numbers)}", text=self.some(5),
            deleted=self.random.random() < 0.1, created_at=self.now, seen_at=self.now, sort_at=self.now,
        )  # fmt: skip

    def live(self, people: int) -> None:
        for _ in range(people):
            person = self.person()
            for _ in range(self.random.randint(0, 2)):
                talk = self.conversation(person)
                for _ in range(self.random.randint(0, 3)):
                    self.post(talk)


@pytest.fixture
def cleo(alice: Any, now: dt.datetime) -> Any:
    """An agent of Alice's workspace who works in its first basket alone."""
    from rapport.actions.accounts import invite
    from rapport.store.models import Basket

    return invite(alice, "cleo@fernway.example", "Cleo", "agent", [Basket.objects.of(alice.workspace)[0]], now=now)[0]


@pytest.fixture
def town(alice: Any, ben: Any, cleo: Any, channel: Any, charlie: Any, now: dt.datetime) -> Callable[[int, int], Town]:
    """`town(seed, people)`: people around Alice's desk, and as many around Charlie's."""
    from rapport.actions.listening import open_file_channel

    def build(seed: int, people: int) -> Town:
        other = open_file_channel(charlie.workspace, "mastodon", "other", now=now)
        Town(charlie, other, seed + 1, now).live(people)
        built = Town(alice, channel, seed, now)
        built.live(people)
        return built

    return build


# ---------------------------------------------------------------- the slow, obvious way


def plain(text: str) -> list[str]:
    """The words of a text, one letter at a time."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).lower()
    return "".join(c if c.isalnum() else " " for c in bare).split()


def holds(text: str, asked: str) -> bool:
    """Whether a text holds all words that are asked for."""
    have, (*whole, last) = plain(text), plain(asked)
    begins = len(last) >= search.BEGINNING
    return set(whole) <= set(have) and any(word.startswith(last) if begins else word == last for word in have)


def sees(member: Any, talk: Any) -> bool:
    from rapport.store.models import BasketMember

    if talk.workspace_id != member.workspace_id:
        return False
    own = set(BasketMember.objects.filter(membership=member).values_list("basket", flat=True))
    return member.sees_every_basket is True or talk.basket_id in own or talk.assignee_id == member.pk


def found_slowly(member: Any, asked: str) -> set[int]:
    """Every conversation that a search has to find, by looking at every row."""
    from rapport.store.models import Conversation, Handle, Person, Post

    people = {each.pk for each in Person.objects.all() if holds(each.name, asked)}
    people |= {each.person_id for each in Handle.objects.all() if holds(f"{each.handle} {each.name}", asked)}
    talks = {each.conversation_id for each in Post.objects.all() if not each.deleted and holds(each.text, asked)}
    return {
        talk.pk
        for talk in Conversation.objects.all()
        if (talk.person_id in people or talk.pk in talks) and sees(member, talk) and talk.state in desk.LISTED
    }


def found(member: Any, asked: str) -> set[int]:
    try:
        rows = searching.search(member, parse_search(asked), today=dt.date(2026, 11, 21), zone=dt.UTC)
    except SearchProblem:
        return set()
    return set(rows.values_list("pk", flat=True))


# ---------------------------------------------------------------- search


@pytest.mark.parametrize("seed", range(3))
def test_a_search_finds_what_a_look_at_every_row_finds(town: Any, alice: Any, ben: Any, cleo: Any, seed: int) -> None:
    town(seed, 25)
    chance = random.Random(seed)
    beginnings = [word[:4] for word in WORDS]
    hits = 0
    for member in (alice, ben, cleo):
        for _ in range(25):
            asked = " ".join([*chance.choices(WORDS, k=chance.randint(0, 2)), chance.choice((*WORDS, *beginnings))])
            expected = found_slowly(member, asked)
            assert found(member, asked) == expected, asked
            hits += len(expected)
    assert hits > 100


def test_words_follow_a_post_that_is_edited_deleted_and_heard_twice(
    hear: Any, alice: Any, make_post: Callable[..., Any]
) -> None:
    from rapport.store.models import Handle, Post

    post = make_post("my kettle whistles", author="nadia")
    hear(post)
    hear(post)
    assert len(found(alice, "kettle whist")) == 1
    Post.objects.update(text="my teapot whistles")
    assert (found(alice, "kettle"), len(found(alice, "teapot"))) == (set(), 1)
    Handle.objects.update(name="Zora")
    assert (len(found(alice, "zora")), len(found(alice, "nadia"))) == (1, 1)  # the person is still called Nadia
    Post.objects.update(deleted=True)
    assert found(alice, "teapot") == set()
    Post.objects.update(deleted=False)
    Post.objects.all().delete()
    assert found(alice, "teapot") == set()


def test_the_last_word_may_be_its_beginning_and_the_others_may_not(hear: Any, alice: Any, make_post: Any) -> None:
    hear(make_post("The Crème-Brûlée arrived broken, @fernway"))
    for asked in ("CREME brulee", "creme brul", "broken arr", "crème-brûlée", "@fernway", "arrived broken"):
        assert len(found(alice, asked)) == 1, asked
    for asked in ("brul creme", "rulee", "ar", "broken kettle"):
        assert found(alice, asked) == set(), asked


@pytest.mark.parametrize("asked", ["荷物", "届いた", "😡", "荷物 届いた", "สวัสดี"])
def test_what_is_written_without_spaces_is_found_inside(hear: Any, alice: Any, make_post: Any, asked: str) -> None:
    hear(make_post("今日荷物が届いた", author="a"), make_post("no 😡 at all", author="b"))
    hear(make_post("荷物 届いた", author="c"), make_post("ขอสวัสดีครับ", author="d"))
    expected = {"荷物": 2, "届いた": 2, "😡": 1, "荷物 届いた": 1, "สวัสดี": 1}
    assert len(found(alice, asked)) == expected[asked]


@pytest.mark.parametrize(
    "asked", ['"', "'", "a:b*", "AND", "NOT x OR", "^(", "100%", "&|!<->", "\\", "हिन्दी", "ı", "ⅷ", "²"]
)
def test_signs_of_query_languages_are_only_letters_here(hear: Any, alice: Any, make_post: Any, asked: str) -> None:
    hear(make_post("something else"))
    assert found(alice, asked) == set()


def test_of_too_many_the_newest_are_found(town: Any, alice: Any, cleo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rapport.store.models import Post

    town(7, 40)
    posts = [post for post in Post.objects.order_by("-pk") if not post.deleted and "late" in plain(post.text)]
    monkeypatch.setattr(search, "PEOPLE", 0)  # those come first
    for member in (alice, cleo):
        newest = desk.in_sight(member, list(dict.fromkeys(post.conversation_id for post in posts)))
        for step, most in ((3, 4), (1, 2), (2_000, 3)):
            monkeypatch.setattr(search, "STEP", step)
            monkeypatch.setattr(search, "FOUND", most)
            found = search.find_conversations(alice.workspace_id, "late", lambda ids, m=member: desk.in_sight(m, ids))
            assert found == newest[:most]
            assert len(found) == most


def test_in_sight_is_what_visible_conversations_says(town: Any, alice: Any, ben: Any, cleo: Any) -> None:
    from rapport.store.models import Conversation

    town(11, 30)
    everything = list(Conversation.objects.order_by("-pk").values_list("pk", flat=True))
    for member in (alice, ben, cleo):
        rows = desk.visible_conversations(member).filter(state__in=desk.LISTED).order_by("-pk")
        assert desk.in_sight(member, everything) == list(rows.values_list("pk", flat=True))
    Conversation.objects.filter(state__in=["merged", "unopened"]).update(state="folded")
    for member in (alice, ben, cleo):
        folded = desk.in_state(desk.visible_conversations(member), "folded").order_by("-pk")
        assert folded.exists()
        assert desk.in_sight(member, everything, ["folded"]) == list(folded.values_list("pk", flat=True))


# ---------------------------------------------------------------- lists and counts


def pressure(talk: Any, now: dt.datetime) -> tuple[Any, ...]:
    points = talk.score + talk.priority * desk.PRIORITY_POINTS + desk.waiting_points(talk.waiting_since, now)
    return (-points, *waiting(talk))


def waiting(talk: Any) -> tuple[Any, ...]:
    return (talk.waiting_since is None, talk.waiting_since or 0, talk.pk)


@pytest.mark.parametrize("seed", range(2))
def test_every_list_is_sorted_as_one_would_by_hand(
    town: Any, alice: Any, cleo: Any, seed: int, now: dt.datetime
) -> None:
    from rapport.store.models import Conversation

    place = town(seed, 60)
    orders: dict[str, Callable[[Any], Any]] = {
        "pressing": lambda talk: pressure(talk, now),
        "waiting": waiting,
        "due": lambda talk: (
            talk.due_at is None,
            talk.due_at or now,
            talk.waiting_since is None,
            talk.waiting_since or now,
            talk.pk,
        ),
        "newest": lambda talk: (-talk.last_post_at.timestamp(), -talk.pk),
        "oldest": lambda talk: (talk.last_post_at, talk.pk),
        "created": lambda talk: -talk.pk,
    }
    assert set(orders) == set(get_args(desk.Sort))
    everything = list(Conversation.objects.all())
    shown = 0
    for member, basket, state in itertools.product((alice, cleo), place.baskets[:2], desk.LISTED):
        rows = desk.visible_conversations(member).filter(basket=basket, state=state)
        here = [t for t in everything if sees(member, t) and t.basket_id == basket.pk and t.state == state]
        mine = [t for t in here if t.assignee_id == member.pk]
        free = [t for t in here if t.assignee_id is None]
        counts = desk.tally(rows, member)
        assert (counts.mine, counts.unassigned, counts.all) == (len(mine), len(free), len(here))
        assert counts.oldest == min((t.waiting_since for t in here if t.waiting_since), default=None)
        plain = desk.tally_with_shares(rows, member)
        assert plain[0] == counts
        if basket in desk.visible_baskets(member):  # the way that the page takes
            assert desk.tally_with_shares(rows, member, (basket.pk, state)) == plain
        for (sort, key), (tab, inside) in itertools.product(
            orders.items(), (("mine", mine), ("unassigned", free), ("all", here))
        ):
            ordered = desk.in_order(desk.of_tab(rows, tab, member), sort, now)  # type: ignore[arg-type]
            found, more = desk.list_rows(ordered, 3)
            expected = sorted(inside, key=key)
            assert [row.conversation.pk for row in found] == [t.pk for t in expected[:3]], (sort, tab)
            assert more is (len(expected) > 3)
            # the way that the page takes
            quick, _ = desk.list_rows(ordered, 3, sort)  # type: ignore[arg-type]
            assert [row.conversation.pk for row in quick] == [t.pk for t in expected[:3]], (sort, tab)
            shown += len(found)
    assert shown > 50


@pytest.mark.parametrize("seed", range(2))
def test_counts_of_the_navigation_are_those_of_the_rows(town: Any, alice: Any, cleo: Any, seed: int, now: Any) -> None:
    from rapport.store.models import Conversation

    town(seed, 60)
    for member in (alice, cleo):
        expected: dict[tuple[int, str], tuple[int, int, int, int]] = {}
        for talk in Conversation.objects.filter(state__in=["open", "quarantined"], basket__isnull=False):
            if sees(member, talk):
                found, late, complaints, praise = expected.get((talk.basket_id or 0, talk.state), (0, 0, 0, 0))
                waits = talk.waiting_since is not None and talk.waiting_since < now - desk.LATE_AFTER
                complains = bool((talk.intents or 0) & 1)
                praises = bool((talk.intents or 0) & 8) and talk.mood == 3
                numbers = (found + 1, late + waits, complaints + complains, praise + praises)
                expected[talk.basket_id or 0, talk.state] = numbers
        assert desk.count_by_basket(member, now) == expected


def test_what_is_counted_no_further_is_told_as_so_many(
    town: Any, alice: Any, cleo: Any, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = town(3, 60)
    for member, basket in itertools.product((alice, cleo), place.baskets[:2]):
        rows = desk.visible_conversations(member).filter(basket=basket, state="open")
        full = desk.tally(rows, member)
        for most in range(1, full.all + 2):
            monkeypatch.setattr(desk, "MOST_COUNTED", most)
            cut = desk.tally(rows, member)
            if basket in desk.visible_baskets(member):
                desk._counts_in_state.cache_clear()
                desk._count_of_tab.cache_clear()
                assert desk.tally_with_shares(rows, member, (basket.pk, "open"))[0] == cut
            assert (cut.mine, cut.unassigned, cut.all) == (
                min(full.mine, most), min(full.unassigned, most), min(full.all, most)
            )  # fmt: skip
            assert cut.oldest == full.oldest
        monkeypatch.undo()
    desk._counts_in_state.cache_clear()
    desk._count_of_tab.cache_clear()
