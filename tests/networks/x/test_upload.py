"""Images on their way to X: in pieces, and while X is not done with them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from rapport.core.errors import GiveUp, RetryLater
from rapport.core.reply import Picture
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.x.upload import upload_image

CONTENT = bytes(range(256)) * 9_000  # more than two pieces
PICTURE = Picture(hashlib.sha256(CONTENT).hexdigest(), "A teal square, é")


def bring(brand: Account, session: GuardedSession) -> str:
    return upload_image(brand, PICTURE, CONTENT, "image/png", session)


def test_it_goes_in_pieces_and_is_whole_there_with_its_words(x: Any, brand: Account, session: GuardedSession) -> None:
    media = bring(brand, session)
    assert media.isdigit()
    kept = x.images[media]
    assert (kept["content"], kept["type"], kept["alt"], kept["whole"]) == (CONTENT, "image/png", PICTURE.alt, True)
    steps = [path.replace(media, "ID") for path, *_ in x.asked]
    pieces = ["/2/media/upload/ID/append"] * 3
    assert steps == ["/2/media/upload/initialize", *pieces, "/2/media/upload/ID/finalize", "/2/media/metadata"]


def test_what_x_is_still_at_work_on_is_looked_at_once_more(x: Any, brand: Account, session: GuardedSession) -> None:
    x.working = [{"state": "pending", "check_after_secs": 1}, {"state": "succeeded", "progress_percent": 100}]
    media = bring(brand, session)
    assert ("/2/media/upload", {"command": "STATUS", "media_id": media}) in [(each[0], each[1]) for each in x.asked]


def test_what_takes_longer_is_brought_again_later_and_what_failed_is_not(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    x.working = [{"state": "pending"}, {"state": "in_progress", "check_after_secs": 9}]
    with pytest.raises(RetryLater) as raised:
        bring(brand, session)
    assert raised.value.after == 9.0
    x.working = [{"state": "failed"}]
    with pytest.raises(GiveUp, match="choose another"):
        bring(brand, session)


@pytest.mark.parametrize("odd", ["3_12", "", "../x", "1" * 20, "٣"])
def test_an_id_that_x_does_not_describe_leads_nowhere(
    x: Any, brand: Account, session: GuardedSession, odd: str
) -> None:
    x.refuse("/2/media/upload/initialize", "200 OK", {"data": {"id": odd}})
    with pytest.raises(RetryLater, match="id that cannot be used"):
        bring(brand, session)
