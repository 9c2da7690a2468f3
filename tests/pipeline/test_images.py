"""Images on their way: brought before the reply that shows them, exactly as approved, and never twice."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from rapport.actions.attachments import describe_image, keep_image, remove_files
from rapport.actions.ledger_check import verify
from rapport.actions.outbound import approve, retry_delivery
from rapport.core.errors import GuardRefused, InvalidInput, NotAllowed, RetryLater, Unconfirmed
from rapport.core.parts import put_together
from rapport.core.post import Post
from rapport.core.reply import Picture, Reply
from rapport.networks.base import Account, Capabilities, Sent
from rapport.networks.contract import BaseNetwork
from rapport.pipeline.sender import Sender
from rapport.store.models import Approval, Attachment, Conversation, Delivery
from rapport.store.models import Post as Row
from rapport.store.queries.outbound import newest_inbound

pytestmark = pytest.mark.django_db


class Gallery(BaseNetwork):
    """Keeps images under numbers, and posts that name them."""

    name = "mastodon"
    title = "Gallery"
    capabilities = Capabilities(True, True, False, 500, ("public",))
    connect_fields = ()

    def __init__(self) -> None:
        self.images: list[tuple[bytes, str]] = []
        self.posts: list[Reply] = []
        self.fault: Exception | None = None

    def upload(self, account: Account, picture: Picture, content: bytes, kind: str, session: Any) -> str:
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        self.images.append((content, picture.alt))
        return f"m{len(self.images)}"

    def push(self, account: Account, reply: Reply, key: str, session: Any) -> Sent:
        self.posts.append(reply)
        return Sent(f"s{len(self.posts)}")


class Desk:
    def __init__(self, alice: Any, channel: Any, bus: Any, now: dt.datetime) -> None:
        self.by, self.channel, self.now, self.gallery = alice, channel, now, Gallery()
        self.sender = Sender(
            {"mastodon": self.gallery}, lambda: None, bus, lambda: self.now, dt.timedelta(minutes=1),  # type: ignore[arg-type, return-value]
        )  # fmt: skip

    def image(self, color: str = "teal", alt: str = "A box") -> Attachment:
        out = io.BytesIO()
        Image.new("RGB", (20, 10), color).save(out, "PNG")
        image = keep_image(self.by, Conversation.objects.get(), out.getvalue(), now=self.now)
        return describe_image(self.by, image, alt, now=self.now)

    def answer(self, text: str, *images: Attachment) -> Delivery:
        conversation = Conversation.objects.get()
        target = newest_inbound(conversation)
        assert target is not None
        return approve(
            self.by, conversation, text, target=target, channel=self.channel, version=conversation.version,
            images=images, now=self.now,
        )  # fmt: skip

    def send(self, times: int = 1, **later: float) -> None:
        self.now += dt.timedelta(**later)
        for _ in range(times):
            self.sender.send_once()


@pytest.fixture
def house(
    hear: Any, make_post: Callable[..., Post], alice: Any, channel: Any, bus: Any, now: dt.datetime,
    settings: Any, tmp_path: Path,
) -> Desk:  # fmt: skip
    settings.RAPPORT = msgspec.structs.replace(settings.RAPPORT, data=str(tmp_path))
    hear(make_post("My parcel is broken, @fernway", id="1"))
    return Desk(alice, channel, bus, now)


def test_images_leave_as_they_were_approved_with_the_first_post_of_a_thread(house: Desk) -> None:
    one, two = house.image(), house.image("red", "A red box")
    house.answer(put_together(["@nadia Look.", "And more."]), two, one)
    house.send(times=3)
    assert [alt for _, alt in house.gallery.images] == ["A red box", "A box"]
    digests = [hashlib.sha256(content).hexdigest() for content, _ in house.gallery.images]
    assert digests == [two.digest, one.digest]
    first, second = house.gallery.posts
    assert [(each.digest, each.uploaded) for each in first.media] == [(two.digest, "m1"), (one.digest, "m2")]
    assert second.media == ()
    assert not verify(Approval.objects.get().workspace).what


@pytest.mark.parametrize("fault", [RetryLater("busy", 5.0), Unconfirmed("no answer")])
def test_an_upload_that_fails_is_tried_again_and_nothing_has_left(house: Desk, fault: Exception) -> None:
    house.answer("@nadia Look.", house.image())
    house.gallery.fault = fault
    house.send()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.pushed_at, house.gallery.posts) == ("queued", None, [])
    house.send(minutes=1)
    assert len(house.gallery.posts) == 1


def test_a_file_that_was_changed_or_is_gone_lets_nothing_out(house: Desk, tmp_path: Path) -> None:
    image = house.image()
    delivery = house.answer("@nadia Look.", image)
    place = tmp_path / "attachments" / image.stored
    kept = place.read_bytes()
    for content in (b"another picture", None):
        place.write_bytes(content) if content else place.unlink()
        house.send()
        delivery.refresh_from_db()
        assert (delivery.state, house.gallery.posts) == ("failed", [])
        assert "not there any more" in delivery.cause
        retry_delivery(house.by, delivery, now=house.now)
    place.write_bytes(kept)
    house.send()
    assert len(house.gallery.posts) == 1


def test_other_words_or_images_than_those_approved_do_not_leave(house: Desk) -> None:
    house.answer("@nadia Look.", house.image())
    approval = Approval.objects.get()
    Approval.objects.update(media=[{"digest": approval.media[0]["digest"], "alt": "Something else"}])
    house.send()
    assert (Delivery.objects.get().state, house.gallery.images) == ("failed", [])
    assert verify(approval.workspace).what


def test_a_network_that_takes_no_images_or_fewer_refuses_with_a_word(house: Desk) -> None:
    image = house.image()
    with pytest.raises(GuardRefused):
        house.answer("@nadia Look.", describe_image(house.by, image, "", now=house.now))
    Row.objects.update(network="reddit")
    house.channel.network = "reddit"
    with pytest.raises(InvalidInput, match="No images can be sent to Reddit"):
        house.answer("@nadia Look.", image)
    Row.objects.update(network="matrix")
    house.channel.network = "matrix"
    with pytest.raises(InvalidInput, match="at most one image"):
        house.answer("@nadia Look.", image, house.image("red"))
    Row.objects.update(network="x", visibility="direct")
    house.channel.network = "x"
    with pytest.raises(InvalidInput, match="direct message"):
        house.answer("@nadia Look.", image)
    assert not Approval.objects.exists()


def test_an_image_that_is_gone_is_not_approved(house: Desk) -> None:
    image = house.image()
    remove_files([Attachment.objects.get(pk=image.pk)])
    with pytest.raises(NotAllowed):
        house.answer("@nadia Look.", image)
