"""What a person approves: the digest of a reply changes with everything that would change on the network."""

import hashlib

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rapport.core.reply import Act, Picture, Reply

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
    media=st.lists(st.builds(Picture, digest=SHORT, alt=SHORT), max_size=2).map(tuple),
    parts=st.lists(SHORT, max_size=3).map(tuple),
)  # fmt: skip
ACT = Act(kind="like", network="mastodon", channel=3, target="111", approved_by=5)


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
        ("media", (Picture("a" * 64),)),
        ("parts", ("I am sorry, Ann.",)),
        ("parts", ("I am sorry, Ann.", "It is on its way.")),
    ],
)
def test_the_digest_changes_with_every_field_that_it_binds(field: str, value: object) -> None:
    changed = msgspec.structs.replace(REPLY, **{field: value})
    assert changed.digest != REPLY.digest


def test_every_field_but_the_approver_is_bound() -> None:
    bound = {"network", "channel", "target", "text", "visibility", "to", "media", "parts"}
    assert set(Reply.__struct_fields__) == bound | {"approved_by"}
    assert msgspec.structs.replace(REPLY, approved_by=6).digest == REPLY.digest


def test_the_digest_is_the_same_on_every_machine() -> None:
    assert REPLY.digest == "606b5b5227250c347277c40e5de106cafbff93a34765cc20bfa2b69c12dac8fc"
    with_picture = msgspec.structs.replace(REPLY, media=(Picture("a" * 64, "A red parcel"),))
    assert with_picture.digest == "fcafca3ff708bd044ce01c23a8390fab99da7df48776d36256f0d360cfaad011"
    assert ACT.digest == "88b72a3e68d174afd8b278af210895b42843366e4c74e934d2c19a6b0d858ec7"


@given(REPLIES)
def test_a_reply_of_one_text_has_the_digest_that_it_had_before_there_were_images(reply: Reply) -> None:
    reply = msgspec.structs.replace(reply, media=(), parts=())
    words = [reply.network, str(reply.channel), reply.target, reply.visibility, *reply.to, reply.text]
    raw = b"".join(len(word.encode()).to_bytes(8, "big") + word.encode() for word in words)
    assert reply.digest == hashlib.sha256(raw).hexdigest()


def test_what_a_network_calls_an_image_is_not_bound_and_everything_else_of_it_is() -> None:
    def digest(*media: Picture) -> str:
        return msgspec.structs.replace(REPLY, media=media).digest

    one, other = Picture("a" * 64, "A parcel"), Picture("b" * 64, "A van")
    assert digest(one) == digest(msgspec.structs.replace(one, uploaded="media-7"))
    different = [(one,), (other,), (one, other), (other, one), (msgspec.structs.replace(one, alt="A box"),)]
    assert len({digest(*media) for media in different}) == len(different)


def test_words_cannot_move_between_the_text_its_parts_and_its_images() -> None:
    replies = [
        {"to": ("ann",), "parts": ("a", "b")},
        {"to": ("ann", "a"), "parts": ("b",)},
        {"to": (), "parts": ("ann", "a", "b")},
        {"to": ("ann",), "media": (Picture("a", "b"),)},
        {"to": ("ann",), "media": (Picture("a", "b"),), "parts": ("a", "b")},
        {"to": ("ann",), "media": (Picture("a", "b"), Picture("a", "b"))},
    ]
    assert len({msgspec.structs.replace(REPLY, **fields).digest for fields in replies}) == len(replies)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "boost"),
        ("network", "bluesky"),
        ("channel", 4),
        ("target", "112"),
        ("handle", "7"),
        ("text", "Hello"),
        ("visibility", "direct"),
        ("media", (Picture("a" * 64),)),
        ("parts", ("Hello", "you")),
    ],
)
def test_the_digest_of_an_act_changes_with_every_field_that_it_binds(field: str, value: object) -> None:
    assert msgspec.structs.replace(ACT, **{field: value}).digest != ACT.digest
    assert msgspec.structs.replace(ACT, approved_by=6).digest == ACT.digest


def test_an_act_is_never_taken_for_a_reply() -> None:
    fields = {"network": "mastodon", "channel": 3, "target": "111", "text": "Hello"}
    assert Act(kind="post", **fields).digest != Reply(**fields).digest  # type: ignore[arg-type]
    plain = msgspec.structs.replace(REPLY, media=(Picture("a"),))
    act = Act(kind="post", network="mastodon", channel=3, target="111", text=REPLY.text, media=(Picture("a"),))
    assert act.digest != plain.digest


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
