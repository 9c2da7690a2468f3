"""How likely an account is automated: what is known wins, what is not known says nothing, and it never breaks."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.decision import AccountScore, PersonFacts
from rapport.core.errors import RapportError
from rapport.core.post import MAX_COUNT, Author, Post
from rapport.core.understand.accounts import PROBABLE, AccountFacts, score_account, score_author
from rapport.core.understand.profile import FIGURES, Profile, load_tables, parse_tables, print_tables, read_figures

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
COUNTS = st.none() | st.integers(0, MAX_COUNT)
SHARES = st.none() | st.floats(0, 1)
PROFILES = st.builds(Profile, st.none() | st.text(max_size=50), COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
MOMENTS = st.lists(
    st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2026, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    max_size=40,
)
WORDS = st.sampled_from([None, None, True, False])
FACTS = st.builds(AccountFacts, PROFILES, st.booleans(), MOMENTS.map(tuple), SHARES, SHARES, WORDS)

#: one of a ring: follows thousands who follow back, writes little, has never liked anything
RING = Profile("Una ragazza semplice.", followers=3_980, following=4_200, posts=120, likes=0, listed=3)
PERSON = Profile("Baker, mother of two.", followers=210, following=340, posts=5_300, likes=2_100, listed=4)
EVERY_TEN_MINUTES = tuple(NOON + dt.timedelta(minutes=10 * number) for number in range(600))


def score(**known: object) -> AccountScore:
    found = score_account(AccountFacts(**known))  # type: ignore[arg-type]
    assert found is not None
    return found


@given(FACTS)
def test_a_score_lies_between_0_and_1_and_has_reasons_where_it_accuses(facts: AccountFacts) -> None:
    found = score_account(facts)
    if found is None:
        return
    assert 0 <= found.bot <= 1
    assert bool(found.reasons) <= (found.bot >= 0.5)
    if found.bot >= PROBABLE:
        assert found.reasons


@given(FACTS, st.floats(0, 1), st.floats(0, 1))
def test_more_copies_never_make_an_account_less_likely_automated(facts: AccountFacts, one: float, other: float) -> None:
    less, more = sorted((one, other))
    low = score_account(msgspec.structs.replace(facts, copied=less))
    high = score_account(msgspec.structs.replace(facts, copied=more))
    assert (low.bot if low else 0) <= (high.bot if high else 0)


@given(PROFILES, st.integers(0, MAX_COUNT), st.integers(0, MAX_COUNT))
def test_more_likes_never_make_an_account_more_likely_automated(profile: Profile, one: int, other: int) -> None:
    less, more = sorted((one, other))
    few = score_account(AccountFacts(msgspec.structs.replace(profile, likes=less)))
    many = score_account(AccountFacts(msgspec.structs.replace(profile, likes=more)))
    assert (few is None) == (many is None)
    if few and many:
        assert few.bot >= many.bot


def test_a_follow_back_ring_is_told_from_a_person() -> None:
    ring = score(profile=RING)
    assert ring.bot >= PROBABLE
    assert ring.reasons[0] == "has liked 0 posts"
    assert "3,980 followers, follows 4,200" in ring.reasons
    assert score(profile=PERSON) == AccountScore(score(profile=PERSON).bot)
    assert score(profile=PERSON).bot < 0.05


def test_without_likes_or_with_few_posts_a_profile_alone_never_makes_an_account_probably_automated() -> None:
    assert score(profile=msgspec.structs.replace(RING, likes=None)).bot == 0.5
    newcomer = Profile("", followers=0, following=8, posts=2, likes=0, listed=0)
    assert score(profile=newcomer).bot == 0.5


def test_an_account_of_which_nothing_is_told_has_no_score() -> None:
    assert score_account(AccountFacts()) is None
    assert score_account(AccountFacts(Profile("A bio", followers=3))) is None
    assert score_account(AccountFacts(moments=(NOON,) * 3)) is None


def test_a_timer_without_a_pause_is_probably_automated_whatever_its_profile() -> None:
    found = score(moments=EVERY_TEN_MINUTES)
    assert found.bot >= PROBABLE
    assert "posts every 10 minutes, as a timer does" in found.reasons
    assert score(moments=EVERY_TEN_MINUTES, profile=PERSON).bot > score(profile=PERSON).bot


def test_somebody_angry_who_repeats_themselves_is_not_called_automated() -> None:
    assert score(copied=1.0, linked=1.0).bot < PROBABLE


def test_the_word_of_a_person_wins_over_the_score_and_the_account_s_own_word_over_both() -> None:
    assert score(profile=RING, word=False) == AccountScore(0.0)
    assert score(profile=PERSON, word=True) == AccountScore(1.0, ("a colleague said so",))
    assert score(says_bot=True, word=False) == AccountScore(1.0, ("the account says so itself",))


def test_our_own_accounts_are_not_judged() -> None:
    post = Post("x", "1", "Hello", NOON, Author(id="1", followers=0, following=0, ours=True))
    assert score_author(post, PersonFacts()) is None


def test_a_post_is_judged_with_the_history_of_its_author() -> None:
    post = Post("x", "1", "Hello", EVERY_TEN_MINUTES[-1], Author(id="1", followers=210, following=340, likes=2_100))
    alone = score_author(post, PersonFacts())
    followed = score_author(post, PersonFacts(posts=EVERY_TEN_MINUTES[:-1]))
    assert alone is not None
    assert followed is not None
    assert followed.bot > alone.bot


# ---------------------------------------------------------------- the tables


def test_the_tables_that_ship_name_known_figures_and_read_back_as_they_are() -> None:
    tables = load_tables()
    assert set(tables) == {"liked", "told"}
    assert all(set(table.steps) <= set(FIGURES) for table in tables.values())
    assert parse_tables(print_tables(tables)) == tables


@given(PROFILES)
def test_only_what_is_told_becomes_a_figure(profile: Profile) -> None:
    figures = read_figures(profile)
    assert set(figures) <= set(FIGURES)
    assert ("followers" in figures) == (profile.followers is not None)
    assert ("likes_per_post" in figures) == (profile.likes is not None and profile.posts is not None)


@pytest.mark.parametrize("line", ["liked\tfollowers\t1 2\t0.1 0.2", "liked\tfollowers", "liked\tshoes\t1\t0 1"])
def test_a_table_that_is_wrong_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(RapportError, match="line 2"):
        parse_tables("# head\n" + line)
