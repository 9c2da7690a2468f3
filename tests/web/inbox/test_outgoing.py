"""What goes out besides the words of one post: threads, and images, which are looked at before they are kept."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
LONG = "Sorry for the wait, @nadia. " + "We look into every parcel of that day. " * 20


def png(size: tuple[int, int] = (30, 20), color: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


def here(row: Any, act: str = "") -> str:
    return f"/w/fernway/c/{row.pk}/{act}"


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Path) -> None:
    """Files of other tests lie elsewhere."""
    settings.RAPPORT = msgspec.structs.replace(settings.RAPPORT, data=str(tmp_path))


@pytest.fixture
def form(complaint: Any) -> dict[str, str]:
    from rapport.store.models import Post

    target = Post.objects.get(conversation_id=complaint.pk)
    return {
        "text": "@nadia Look, this is the new box.", "target": str(target.pk), "channel": str(complaint.channel_id),
        "version": str(complaint.version),
    }  # fmt: skip


def bring(client: Any, row: Any, content: bytes, name: str = "photo.png", **more: Any) -> Any:
    kind = more.pop("kind", "image/png")
    headers = more.pop("headers", HTMX)
    file = SimpleUploadedFile(name, content, kind)
    return client.post(here(row, "image"), {"file": file, **more}, headers=headers)


def images() -> list[Any]:
    from rapport.store.models import Attachment

    return list(Attachment.objects.order_by("pk"))


def files() -> set[str]:
    folder = settings.RAPPORT.data_dir / "attachments"
    return {each.name for each in folder.iterdir()} if folder.exists() else set()


# ---------------------------------------------------------------- threads


def test_words_that_are_too_long_can_go_out_as_a_thread(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    from rapport.store.models import Approval

    client = enter(cast.amir)
    form["text"] = LONG
    told = client.post(here(complaint, "draft"), form, headers=HTMX)
    assert "Send as a thread of 2" in told.content.decode()
    cut = client.post(here(complaint, "thread"), form, headers=HTMX).json()
    assert cut["say"] == "2 posts; change what you like."
    form["text"] = cut["text"]
    told = client.post(here(complaint, "draft"), form, headers=HTMX)
    assert told.content.decode().count("<li>") == 2
    assert json.loads(told.headers["HX-Trigger"])["desk-saved"]["left"].endswith("of 500 left")
    page = client.get(here(complaint)).content.decode()
    assert "--- ✂ ---" in page
    assert client.post(here(complaint, "send"), form, headers=HTMX).status_code == 200
    approval = Approval.objects.get()
    assert len(approval.parts) == approval.delivery.parts.count() == 2
    page = client.get(here(complaint)).content.decode()
    assert page.count("We look into every parcel") >= 20


def test_without_scripts_the_page_comes_back_with_the_thread(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    page = enter(cast.amir).post(here(complaint, "thread"), {**form, "text": LONG}).content.decode()
    assert page.count("--- ✂ ---") == 1
    assert "Send as Amir" in page


def test_a_private_thread_names_whom_each_post_is_for(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    from rapport.store.models import Post

    Post.objects.update(visibility="direct")
    cut = enter(cast.amir).post(here(complaint, "thread"), {**form, "text": LONG}, headers=HTMX).json()
    assert cut["text"].count("@nadia") == 2


def test_how_much_of_a_thread_is_sent_is_shown(cast: Any, enter: Any, complaint: Any, form: dict[str, str]) -> None:
    from rapport.store.models import DeliveryPart

    client = enter(cast.amir)
    form["text"] = "@nadia First.\n--- ✂ ---\nSecond.\n--- ✂ ---\nThird."
    client.post(here(complaint, "send"), form, headers=HTMX)
    DeliveryPart.objects.filter(number__lt=3).update(state="sent", external_id="x")
    page = client.get(here(complaint)).content.decode()
    assert "2 of 3 sent" in page


# ---------------------------------------------------------------- images


def test_an_image_is_added_described_sent_and_shown_to_those_who_may_read(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    from rapport.store.models import Approval

    client = enter(cast.amir)
    strip = bring(client, complaint, png()).content.decode()
    (image,) = images()
    assert f'name="alt-{image.pk}"' in strip
    silent = client.post(here(complaint, "draft"), {**form, "image": image.pk}, headers=HTMX).content.decode()
    assert "says nothing to those who cannot see it" in silent
    refused = client.post(here(complaint, "send"), {**form, "image": image.pk}, headers=HTMX)
    assert refused.status_code == 422
    form |= {"image": str(image.pk), f"alt-{image.pk}": "A box of\n recycled paper"}
    assert client.post(here(complaint, "send"), form, headers=HTMX).status_code == 200
    approval = Approval.objects.get()
    assert approval.media == [{"digest": image.digest, "alt": "A box of recycled paper"}]
    page = client.get(here(complaint)).content.decode()
    assert f'src="/w/fernway/image/{image.pk}/"' in page
    assert 'alt="A box of recycled paper"' in page
    told = enter(cast.vera).get(f"/w/fernway/image/{image.pk}/")
    assert (told.headers["Content-Type"], told.headers["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert "sandbox" in told.headers["Content-Security-Policy"]
    assert Image.open(io.BytesIO(told.content)).size == (30, 20)


def test_words_can_be_left_out_on_purpose(cast: Any, enter: Any, complaint: Any, form: dict[str, str]) -> None:
    client = enter(cast.amir)
    bring(client, complaint, png())
    (image,) = images()
    form |= {"image": str(image.pk), f"alt-{image.pk}": "", f"no-alt-{image.pk}": "on"}
    assert client.post(here(complaint, "send"), form, headers=HTMX).status_code == 200


def test_without_scripts_an_image_is_added_with_a_button_and_the_words_stay(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    page = bring(enter(cast.amir), complaint, png(), headers={}, **form).content.decode()
    assert form["text"] in page
    assert f'name="image" value="{images()[0].pk}"' in page


def test_an_image_is_taken_out_again_with_its_file(cast: Any, enter: Any, complaint: Any, form: dict[str, str]) -> None:
    client = enter(cast.amir)
    before = files()
    with_commit(lambda: bring(client, complaint, png()))
    (image,) = images()
    assert files() - before == {image.stored}
    with_commit(lambda: client.post(here(complaint, f"image/{image.pk}/drop"), form, headers=HTMX))
    assert (images(), files() - before) == ([], set())


def with_commit(act: Any) -> Any:
    """As if the transaction of the test had ended: what waits for that is done."""
    from django.test import TestCase

    with TestCase.captureOnCommitCallbacks(execute=True):
        return act()


NO_PICTURES = [
    (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "x.svg", "save it as PNG"),
    (b"<html><script>alert(1)</script>", "x.png", "no picture"),
    (b'{"a": 1}', "x.png", "no picture"),
    (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "x.png", "broken"),
    (b"PK\x03\x04" + b"\0" * 40, "x.png", "no picture"),
]


def test_what_is_no_picture_is_refused_with_a_word_and_nothing_is_kept(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    for content, name, word in NO_PICTURES:
        answer = bring(client, complaint, content, name)
        assert (answer.status_code, word in answer.content.decode()) == (422, True)
    assert (images(), files()) == ([], set())


def test_json_is_no_upload(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    body = json.dumps({"file": {"path": "/etc/passwd", "name": "x.png"}})
    assert client.post(here(complaint, "image"), body, content_type="application/json").status_code == 415
    assert client.post(here(complaint, "image"), {"file": "/etc/passwd"}, headers=HTMX).status_code == 422
    assert images() == []


def test_nothing_of_a_file_s_name_is_kept(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    for name in ("../../evil.png", "a\u200b.pht", "x.php\x00.png", "%2e%2e/x.png"):
        assert bring(client, complaint, png(), name).status_code == 200
    kept = images()
    assert len(kept) == 4
    assert files() == {image.stored for image in kept}
    assert all(len(image.stored) == 64 and set(image.stored) <= set("0123456789abcdef") for image in kept)
    folder = settings.RAPPORT.data_dir / "attachments"
    assert (folder.stat().st_mode & 0o777, (folder / kept[0].stored).stat().st_mode & 0o777) == (0o700, 0o600)


def test_the_network_s_number_of_images_is_said_before_the_send(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    assert "the network takes up to 4" in client.get(here(complaint)).content.decode()
    for _ in range(4):
        assert bring(client, complaint, png()).status_code == 200
    fifth = bring(client, complaint, png())
    assert (fifth.status_code, "at most 4 images" in fifth.content.decode()) == (422, True)
    complaint.network = "reddit"
    complaint.save()
    assert "data-add-image" not in client.get(here(complaint)).content.decode()
    assert bring(client, complaint, png()).status_code == 422


def test_images_of_others_are_as_missing_as_any(
    cast: Any, enter: Any, complaint: Any, many: Any, form: dict[str, str]
) -> None:
    (other,) = many(1, basket="praise")
    bring(enter(cast.alice), other, png())
    bring(enter(cast.lea), complaint, png())
    far, theirs = images()
    client = enter(cast.amir)
    for foreign in (far.pk, theirs.pk, 999_999):
        assert client.post(here(complaint, "send"), {**form, "image": foreign}, headers=HTMX).status_code == 404
        assert client.post(here(complaint, f"image/{foreign}/drop"), headers=HTMX).status_code == 404
    assert client.get(f"/w/fernway/image/{far.pk}/").status_code == 404
    assert client.get("/w/fernway/image/999999/").status_code == 404
    assert enter(cast.charlie).get(f"/w/fernway/image/{theirs.pk}/").status_code == 404


def test_a_sent_image_is_used_once(cast: Any, enter: Any, complaint: Any, form: dict[str, str]) -> None:
    client = enter(cast.amir)
    bring(client, complaint, png())
    (image,) = images()
    form |= {"image": str(image.pk), f"alt-{image.pk}": "A box"}
    assert client.post(here(complaint, "send"), form, headers=HTMX).status_code == 200
    complaint.refresh_from_db()
    again = {**form, "version": str(complaint.version), "text": "@nadia Once more."}
    assert client.post(here(complaint, "send"), again, headers=HTMX).status_code == 404
    assert client.post(here(complaint, f"image/{image.pk}/drop"), headers=HTMX).status_code == 404


def test_a_lead_sends_the_images_of_who_asks_them_to(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    rita, lea = enter(cast.rita), enter(cast.lea)
    bring(rita, complaint, png())
    (image,) = images()
    assert f'name="image" value="{image.pk}"' not in lea.get(here(complaint)).content.decode()
    rita.post(here(complaint, "propose"), {**form, "image": image.pk, f"alt-{image.pk}": "A box"}, headers=HTMX)
    assert f'name="image" value="{image.pk}"' in lea.get(here(complaint)).content.decode()
    assert lea.post(here(complaint, "send"), {**form, "image": image.pk}, headers=HTMX).status_code == 200


def test_what_nobody_sends_is_cleared_away_and_what_was_sent_stays(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str], now: dt.datetime
) -> None:
    from django.utils import timezone

    from rapport.actions.attachments import UNSENT, clear_unsent

    client = enter(cast.amir)
    bring(client, complaint, png())
    (sent,) = images()
    client.post(here(complaint, "send"), {**form, "image": sent.pk, f"alt-{sent.pk}": "x"}, headers=HTMX)
    bring(client, complaint, png(color="red"))
    left = images()[1]
    folder = settings.RAPPORT.data_dir / "attachments"
    stray = folder / ("0" * 64)
    stray.write_bytes(b"x")
    old = time.time() - 7_200
    os.utime(stray, (old, old))
    assert clear_unsent(now=timezone.now()) == 1  # the stray one
    assert files() == {sent.stored, left.stored}
    with_commit(lambda: clear_unsent(now=timezone.now() + UNSENT + dt.timedelta(days=1)))
    assert ([each.pk for each in images()], files()) == ([sent.pk], {sent.stored})


def test_a_proposed_draft_is_sent_with_its_images_from_the_page_of_approvals(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    from rapport.store.models import Approval, Conversation, Draft

    rita, lea = enter(cast.rita), enter(cast.lea)
    bring(rita, complaint, png())
    (image,) = images()
    rita.post(here(complaint, "propose"), {**form, "image": image.pk, f"alt-{image.pk}": "A box"}, headers=HTMX)
    assert f"/w/fernway/image/{image.pk}/" in lea.get("/w/fernway/approvals/").content.decode()
    form["version"] = str(Conversation.objects.get().version)
    lea.post(f"/w/fernway/approvals/{Draft.objects.get(proposed=True).pk}/send/", form)
    assert Approval.objects.get().media == [{"digest": image.digest, "alt": "A box"}]
