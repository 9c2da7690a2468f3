"""What a person approves: the digest of a reply changes with everything that would change on the network."""

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rapport.core.reply import Reply

REPLY = Reply(
    network="mastodon",
    channel=3,
    target="111",
    text="I am sorry, Ann.",
    visibility="public",
    to=("ann",),
    approved_by=5,
)

SHORT = st.text("ab:,\x00\n1é", max_size=4)
REPLIES = st.builds(
    Reply, network=SHORT, channel=st.integers(0, 99), target=SHORT, text=SHORT, visibility=SHORT,
    to=st.lists(SHORT, max_size=3).map(tuple), approved_by=st.none() | st.integers(1, 9),
)  # fmt: skip


def binding(reply: Reply) -> tuple[object, ...]:
    """Everything that the digest binds: all fields but who approved."""
    return tuple(getattr(reply, name) for name in Reply.__struct_fields__ if name != "approved_by")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("network", "bluesky"),
        ("channel", 4),
        ("target", "112"),
        ("text", "I am sorry, Ann"),
        ("text", "I am sorry, Ann. "),
        ("text", "I am sorry,\u00a0Ann."),
        ("text", ""),
        ("visibility", "direct"),
        ("to", ()),
        ("to", ("ann", "ben")),
        ("to", ("Ann",)),
    ],
)
def test_the_digest_changes_with_every_field_that_it_binds(field: str, value: object) -> None:
    changed = msgspec.structs.replace(REPLY, **{field: value})
    assert changed.digest != REPLY.digest


def test_every_field_but_the_approver_is_bound() -> None:
    assert set(Reply.__struct_fields__) == {"network", "channel", "target", "text", "visibility", "to", "approved_by"}
    assert msgspec.structs.replace(REPLY, approved_by=6).digest == REPLY.digest


def test_the_digest_is_the_same_on_every_machine() -> None:
    assert REPLY.digest == "606b5b5227250c347277c40e5de106cafbff93a34765cc20bfa2b69c12dac8fc"


def test_words_cannot_move_from_one_field_to_the_next() -> None:
    pairs = [
        ({"target": "1", "visibility": "1public"}, {"target": "11", "visibility": "public"}),
        ({"to": ("a", "b"), "text": "c"}, {"to": ("a",), "text": "bc"}),
        ({"to": ("a", "b"), "text": "c"}, {"to": ("ab",), "text": "c"}),
        ({"to": (), "text": "a"}, {"to": ("a",), "text": ""}),
        ({"network": "a", "channel": 11, "target": "1"}, {"network": "a", "channel": 1, "target": "11"}),
    ]
    for one, other in pairs:
        assert msgspec.structs.replace(REPLY, **one).digest != msgspec.structs.replace(REPLY, **other).digest


@given(REPLIES, REPLIES)
def test_two_replies_share_a_digest_only_when_they_are_the_same(one: Reply, other: Reply) -> None:
    assert (one.digest == other.digest) == (binding(one) == binding(other))


@given(REPLIES, st.sampled_from([name for name in Reply.__struct_fields__ if name != "approved_by"]), REPLIES)
def test_taking_one_field_from_another_reply_shows(reply: Reply, field: str, other: Reply) -> None:
    assume(getattr(reply, field) != getattr(other, field))
    assert msgspec.structs.replace(reply, **{field: getattr(other, field)}).digest != reply.digest
