"""Tags: what a rule puts on, what a colleague takes off for good, and what a tag may be called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.actions import tags
from rapport.actions.rules import save_rules
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.post import Post
from rapport.store.models import Conversation, ConversationTag

pytestmark = pytest.mark.django_db
SOON = NOON + dt.timedelta(minutes=1)
TAGGING = '[[rule]]\nname = "Parcels"\nwhen = \'text matches "parcel"\'\nthen = ["tag:Parcel"]\n'


def standing() -> list[tuple[str, str]]:
    return list(ConversationTag.objects.filter(removed_at__isnull=True).values_list("name", "rule"))


def test_a_rule_s_tag_is_put_on_once_with_its_name_and_stays_away_when_a_colleague_took_it_off(
    alice: Any, hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    save_rules(alice, TAGGING, "", now=NOON)
    hear(make_post("My parcel is lost, @fernway", author="nadia", id="1"))
    assert standing() == [("parcel", "Parcels")]
    talk = Conversation.objects.get()
    tags.remove_tag(alice, talk, "parcel", now=SOON)
    hear(make_post("Where is my parcel, @fernway?", author="nadia", id="2", in_reply_to="1"))
    assert Conversation.objects.exclude(state="merged").count() == 1
    assert standing() == []
    assert tags.add_tag(alice, talk, "#Parcel", now=SOON) == "parcel"
    assert standing() == [("parcel", "")]


def test_rules_without_tags_write_nothing(alice: Any, hear: Callable[..., Any], make_post: Callable[..., Post]) -> None:
    hear(make_post("My parcel is lost, @fernway", author="nadia"))
    assert not ConversationTag.objects.exists()


@pytest.mark.parametrize(("typed", "kept"), [
    ("VIP", "vip"), (" #Late  Delivery ", "late-delivery"), ("größe_42", "größe_42"), ("日本", "日本"),
])  # fmt: skip
def test_a_tag_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert tags.clean_tag(typed) == kept


@pytest.mark.parametrize("typed", ["", "#", "-", "<script>", "a" * 64, "a,b", "\x00", "a/b"])
def test_what_is_no_tag_is_refused_with_a_word_on_what_is(typed: str) -> None:
    with pytest.raises(InvalidInput, match="A tag"):
        tags.clean_tag(typed)


def test_a_tag_needs_a_right_and_a_place_left(alice: Any, ben: Any, hear: Any, make_post: Any) -> None:
    hear(make_post("My parcel is lost, @fernway", author="nadia"))
    talk = Conversation.objects.get()
    ben.role = "viewer"
    with pytest.raises(NotAllowed):
        tags.add_tag(ben, talk, "vip", now=SOON)
    for number in range(tags.MOST_TAGS):
        tags.add_tag(alice, talk, f"t{number}", now=SOON)
    with pytest.raises(InvalidInput, match="at most"):
        tags.add_tag(alice, talk, "one-more", now=SOON)
