"""One person, many handles: joined on evidence, taken apart again without a trace, in any order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import NOON
from rapport.actions import people
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.post import Author
from rapport.store.models import (
    Basket,
    BasketMember,
    Consent,
    Conversation,
    Handle,
    Membership,
    Person,
    PersonField,
    PersonMerge,
    PersonNote,
    PersonValue,
    Post,
    Workspace,
)
from rapport.store.queries import identity

pytestmark = pytest.mark.django_db
LATER = NOON + dt.timedelta(hours=1)


def who(handle: str) -> Person:
    """The person behind a handle now."""
    return Handle.objects.select_related("person").get(handle=handle).person


def picture() -> dict[str, Any]:
    """All that is known about people, to compare: what each is, and whose every handle and conversation is."""
    people_now = {
        row.pk: (
            row.name, row.about, row.relationship, row.ignored, row.suppressed_reason, row.known_to_id,
            row.first_seen, row.last_seen,
        )
        for row in Person.objects.all()
    }  # fmt: skip
    return {
        "people": people_now,
        "handles": dict(Handle.objects.values_list("handle", "person_id")),
        "talks": dict(Conversation.objects.values_list("pk", "person_id")),
        "notes": dict(PersonNote.objects.values_list("text", "person_id")),
        "values": sorted(PersonValue.objects.values_list("person_id", "field_id", "value", "by_id", "at")),
        "consents": sorted(Consent.objects.values_list("pk", "person_id", "given", "withdrawn_at")),
    }


def create(workspace: Workspace, name: str, **fields: Any) -> Person:
    """Somebody with a handle of the same name on Bluesky."""
    seen = {"first_seen": NOON - dt.timedelta(days=ord(name[0])), "last_seen": NOON - dt.timedelta(hours=ord(name[0]))}
    person = Person.objects.create(workspace=workspace, name=name, **seen, **fields)
    Handle.objects.create(workspace=workspace, person=person, network="bluesky", external_id=name, handle=name)
    return person


@pytest.fixture
def two(hear: Callable[..., Any], make_post: Callable[..., Any]) -> tuple[Person, Person]:
    """Nadia and Zoe, who wrote to us once each."""
    hear(
        make_post("My parcel is broken", author="nadia"),
        make_post("Where is my refund?", author="zoe", created_at=NOON - dt.timedelta(days=2)),
    )
    return who("nadia"), who("zoe")


def test_a_join_moves_handles_conversations_and_what_is_known(alice: Membership, two: Any) -> None:
    nadia, zoe = two
    Person.objects.filter(pk=zoe.pk).update(relationship="customer", suppressed_reason="asked by mail", known_to=alice)
    people.join_people(alice, nadia, zoe, "Both profiles name the other", now=NOON)
    nadia.refresh_from_db()
    assert who("zoe") == who("nadia") == nadia
    assert not Person.objects.filter(pk=zoe.pk).exists()
    assert (nadia.name, nadia.relationship, nadia.suppressed_reason) == ("Nadia", "customer", "asked by mail")
    assert nadia.known_to == alice
    assert nadia.first_seen == NOON - dt.timedelta(days=2)
    assert set(Conversation.objects.values_list("person", flat=True)) == {nadia.pk}


def test_undoing_a_join_leaves_everything_as_it_was(alice: Membership, two: Any) -> None:
    nadia, zoe = two
    Person.objects.filter(pk=zoe.pk).update(relationship="customer", ignored=True, about="Met in Rome", known_to=alice)
    before = picture()
    merge = people.join_people(alice, nadia, zoe, "A guess", now=NOON)
    assert picture() != before
    back = people.split_people(alice, merge, now=LATER)
    assert picture() == before
    assert back.pk == zoe.pk
    with pytest.raises(InvalidInput, match="undone already"):
        people.split_people(alice, merge, now=LATER)


def test_what_happened_since_stays_with_the_handle_that_it_happened_on(
    alice: Membership, two: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    nadia, zoe = two
    merge = people.join_people(alice, nadia, zoe, "A guess", now=NOON)
    hear(
        make_post("Still no refund", author="zoe", created_at=NOON - dt.timedelta(minutes=1)),
        make_post("New parcel, also broken", author="nadia", created_at=NOON - dt.timedelta(minutes=2)),
    )
    assert set(Conversation.objects.values_list("person", flat=True)) == {nadia.pk}
    people.split_people(alice, merge, now=LATER)
    for post in Post.objects.select_related("handle"):
        talk = Conversation.objects.get(pk=post.conversation_id)
        assert talk.person_id == post.handle.person_id == {"nadia": nadia.pk, "zoe": zoe.pk}[post.handle.handle]


def test_a_thread_of_both_belongs_to_who_spoke_last_in_it(
    alice: Membership, two: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    nadia, zoe = two
    merge = people.join_people(alice, nadia, zoe, "A guess", now=NOON)
    answered = Post.objects.get(handle__handle="nadia")
    hear(make_post("Same here!", author="zoe", in_reply_to=answered.external_id, created_at=NOON))
    people.split_people(alice, merge, now=LATER)
    assert Conversation.objects.get(pk=answered.conversation_id).person_id == zoe.pk


def test_a_decision_since_stays_with_the_person_kept_and_a_stop_holds_for_both(alice: Membership, two: Any) -> None:
    nadia, zoe = two
    merge = people.join_people(alice, nadia, zoe, "A guess", now=NOON)
    nadia.refresh_from_db()
    people.set_relationship(alice, nadia, "journalist", now=NOON)
    people.suppress_person(alice, nadia, "asked us to stop", now=NOON)
    people.split_people(alice, merge, now=LATER)
    nadia.refresh_from_db()
    zoe = Person.objects.get(pk=zoe.pk)
    assert (nadia.relationship, zoe.relationship) == ("journalist", "")
    assert (nadia.suppressed_reason, zoe.suppressed_reason) == ("asked us to stop", "asked us to stop")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    facts=st.lists(
        st.tuples(
            st.sampled_from(["", "customer", "partner"]), st.booleans(), st.sampled_from(["", "stop"]),
            st.sampled_from(["", "likes trains", "from Rome"]), st.sampled_from(["", "42", "44"]),
            st.sampled_from([None, True, False]),
        ), min_size=4, max_size=4,
    ),
    joins=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6),
    order=st.randoms(use_true_random=False),
)  # fmt: skip
def test_joins_can_be_undone_in_any_order(alice: Membership, facts: Any, joins: Any, order: Any) -> None:
    from django.db import transaction

    with transaction.atomic():
        size = PersonField.objects.create(workspace=alice.workspace, slug="size", name="Size")
        for name, (relationship, ignored, stopped, about, value, given) in zip("abcd", facts, strict=True):
            person = create(
                alice.workspace,
                name,
                relationship=relationship,
                ignored=ignored,
                suppressed_reason=stopped,
                about=about,
            )
            mine = {"workspace": alice.workspace, "person": person, "at": NOON - dt.timedelta(days=ord(name))}
            PersonNote.objects.create(text=f"Of {name}", author=alice, **mine)
            if value:
                PersonValue.objects.create(field=size, value=value, by=alice, **mine)
            if given is not None:
                Consent.objects.create(purpose="quote", given=given, source="by phone", **mine)
        before = picture()
        made = []
        for keep, other in joins:
            one, two = who("abcd"[keep]), who("abcd"[other])
            if one != two:
                moment = NOON + dt.timedelta(seconds=len(made))
                made.append(people.join_people(alice, one, two, "A guess", now=moment))
        order.shuffle(made)
        for merge in made:
            people.split_people(alice, merge, now=LATER)
        assert picture() == before
        transaction.set_rollback(True)


def test_a_join_inside_a_join_comes_apart_alone(alice: Membership) -> None:
    a, b, c = (create(alice.workspace, name) for name in "abc")
    inner = people.join_people(alice, a, b, "A guess", now=NOON)
    people.join_people(alice, c, a, "Another", now=NOON)
    assert [merge.pk for merge in identity.joins_of(c)] == [inner.pk + 1, inner.pk]
    people.split_people(alice, inner, now=LATER)
    assert (who("a"), who("b"), who("c")) == (c, b, c)


def test_a_handle_that_does_not_belong_gets_a_person_of_its_own(alice: Membership, two: Any) -> None:
    nadia, _zoe = two
    stray = Handle.objects.create(
        workspace=alice.workspace, person=nadia, network="bluesky", external_id="did:1", handle="other", name="Otto"
    )
    Person.objects.filter(pk=nadia.pk).update(suppressed_reason="asked us to stop", relationship="customer")
    otto = people.split_handle(alice, stray, now=LATER)
    assert (otto.name, otto.relationship, otto.suppressed_reason) == ("Otto", "", "asked us to stop")
    assert who("other") == otto
    assert who("nadia") == nadia
    with pytest.raises(InvalidInput, match="only handle"):
        people.split_handle(alice, Handle.objects.get(handle="nadia"), now=LATER)


def test_splitting_off_what_a_join_brought_undoes_the_join(alice: Membership, two: Any) -> None:
    nadia, zoe = two
    before = picture()
    people.join_people(alice, nadia, zoe, "A guess", now=NOON)
    people.split_handle(alice, Handle.objects.get(handle="zoe"), now=LATER)
    assert picture() == before
    assert not PersonMerge.objects.filter(undone_at=None).exists()


def test_what_cannot_be_joined(alice: Membership, charlie: Membership, two: Any, ben: Membership) -> None:
    nadia, zoe = two
    stranger = create(charlie.workspace, "stranger")
    with pytest.raises(NotAllowed, match="another workspace"):
        people.join_people(alice, nadia, stranger, "x", now=NOON)
    with pytest.raises(InvalidInput, match="one person already"):
        people.join_people(alice, nadia, nadia, "x", now=NOON)
    with pytest.raises(InvalidInput, match="how you know"):
        people.join_people(alice, nadia, zoe, " \x00", now=NOON)
    BasketMember.objects.filter(membership=ben).delete()
    with pytest.raises(NotAllowed, match="in your baskets"):
        people.join_people(ben, nadia, zoe, "x", now=NOON)
    BasketMember.objects.create(workspace=alice.workspace, membership=ben, basket=Basket.objects.of(alice.workspace)[0])
    Handle.objects.filter(person=zoe).update(ours=True)
    with pytest.raises(InvalidInput, match="account of ours"):
        people.join_people(alice, nadia, zoe, "x", now=NOON)
    Handle.objects.filter(person=zoe).update(ours=False)
    people.join_people(alice, nadia, zoe, "x", now=NOON)
    with pytest.raises(InvalidInput, match="joined with another one meanwhile"):
        people.ignore_person(alice, zoe, "x", now=NOON)
    with pytest.raises(NotAllowed):
        people.split_people(charlie, PersonMerge.objects.get(), now=NOON)


def test_likely_matches_share_a_name_or_a_handle_on_another_network(
    alice: Membership, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    def author(key: str, handle: str, name: str) -> Author:
        return Author(id=key, handle=handle, name=name)

    hear(
        make_post("a", author=author("1", "ann@one.example", "Ann Lee")),
        make_post("b", author=author("2", "someone@two.example", "ann lee")),
        make_post("c", author=author("3", "annette@one.example", "Annette")),
        make_post("d", author=author("4", "аnn@three.example", "Аnn Lee")),
    )
    ann = who("ann@one.example")
    bluesky = create(alice.workspace, "ann.bsky.social")
    elsewhere = Person.objects.create(workspace=alice.workspace, name="Ann Lee", first_seen=NOON, last_seen=NOON)
    Handle.objects.create(
        workspace=alice.workspace, person=elsewhere, network="x", external_id="9", handle="Ann", name="Ann Lee"
    )
    found = {each.person.pk: each.common for each in identity.likely_same(alice, ann)}
    assert found == {
        elsewhere.pk: ("name", "handle"), who("someone@two.example").pk: ("name",), bluesky.pk: ("handle",)
    }  # fmt: skip
    assert [each.person for each in identity.search_people(alice, "@ann.b", ann)] == [bluesky]
