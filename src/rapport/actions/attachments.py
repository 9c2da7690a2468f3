"""Images for replies: taken in, described, sent along, cleared away.

They lie in the folder `attachments` of the data folder, each under a name drawn at random: below no folder that a web
server shows, without an ending, and with nothing of the name that they came with. Where the desk and the sender run on
several machines, they need to see the same folder.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import transaction

from rapport.actions.audit import require, require_conversation, write_audit
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.images import make_anew
from rapport.networks.base import MediaLimits
from rapport.networks.registry import network_named
from rapport.store.models import Approval, Attachment, Channel, Conversation, Membership, PostDraft
from rapport.store.queries.attachments import unsent_by, unsent_images

#: how long an image lies in a composer before it is cleared away
UNSENT = dt.timedelta(days=30)
#: how old a file is before it is missed in the table: whoever writes it needs a moment
_YOUNG = dt.timedelta(hours=1)
#: characters of a description, where the network names no number
MAX_ALT = 1_500
_STORED = re.compile(r"[0-9a-f]{64}")


def media_of(network: str) -> MediaLimits | None:
    """Which images a network takes from here; None = none."""
    found = network_named(network)
    return found.capabilities.media if found else None


def keep_image(by: Membership, conversation: Conversation, raw: bytes, *, now: dt.datetime) -> Attachment:
    """Take an image into the composer of a conversation, made anew so that its network takes it.

    Raises `InvalidInput` where the network takes none or no more, and for what is no picture (`core.images`).
    """
    require_conversation(by, conversation, "draft")
    limits = _limits(conversation.network)
    made = make_anew(raw, limits.max_bytes, limits.kinds)
    stored = secrets.token_hex(32)
    with transaction.atomic():
        Conversation.objects.of(by.workspace).select_for_update().get(pk=conversation.pk)
        if unsent_by(conversation, by).count() >= limits.most:
            raise InvalidInput(_too_many(conversation.network, limits))
        _write(stored, made.content)
        image = Attachment.objects.create(
            workspace=by.workspace, conversation=conversation, by=by, digest=hashlib.sha256(made.content).hexdigest(),
            stored=stored, mime=made.kind, width=made.width, height=made.height, size=len(made.content), at=now,
        )  # fmt: skip
        write_audit(by.workspace, by, "image.add", conversation, now, image=image.pk)
    return image


def keep_post_image(by: Membership, post: PostDraft, raw: bytes, *, now: dt.datetime) -> Attachment:
    """As `keep_image`, for a post of our own: made so that every network takes it that one could go to."""
    require(by, "draft")
    found = [each for each in map(media_of, _networks(by)) if each is not None]
    if not found:
        raise InvalidInput("No account that could say it takes images from here.")
    kinds = tuple(kind for kind in found[0].kinds if all(kind in each.kinds for each in found))
    made = make_anew(raw, min(each.max_bytes for each in found), kinds)
    stored = secrets.token_hex(32)
    with transaction.atomic():
        PostDraft.objects.of(by.workspace).select_for_update().get(pk=post.pk)
        most = max(each.most for each in found)
        if post.images.filter(approval__isnull=True).count() >= most:
            raise InvalidInput(f"A post has at most {most} images: take one out first.")
        _write(stored, made.content)
        image = Attachment.objects.create(
            workspace=by.workspace, own_post=post, by=by, digest=hashlib.sha256(made.content).hexdigest(),
            stored=stored, mime=made.kind, width=made.width, height=made.height, size=len(made.content), at=now,
        )  # fmt: skip
        write_audit(by.workspace, by, "image.add", post, now, image=image.pk)
    return image


def _networks(by: Membership) -> list[str]:
    names = Channel.objects.of(by.workspace).values_list("network", flat=True).distinct()
    return [name for name in names if (found := network_named(name)) is not None and found.capabilities.posts]


def send_with_post(approval: Approval, images: Sequence[Attachment], *, copies: bool) -> None:
    """These images belong to this entry from now on; `copies`: they go on to another one, which needs its own.

    Within the transaction of the approval. Raises `InvalidInput` for an image whose file is gone, and for what the
    network does not take.
    """
    if not images:
        return
    limits = _limits(approval.channel.network)
    if len(images) > limits.most:
        raise InvalidInput(_too_many(approval.channel.network, limits))
    if any(image.size > limits.max_bytes or image.mime not in limits.kinds for image in images):
        raise InvalidInput("An image is too large, or of a kind that this account cannot send. Add it again.")
    for image in images:
        taken = _copy(image) if copies else image
        taken.approval, taken.own_post = approval, None
        taken.save()


def _copy(image: Attachment) -> Attachment:
    """A row and a file of its own with the same image, not stored yet."""
    content = content_of(image)
    if content is None:
        raise InvalidInput("An image is not there any more: take it out and add it again.")
    stored = secrets.token_hex(32)
    _write(stored, content)
    return Attachment(
        workspace_id=image.workspace_id, by_id=image.by_id, digest=image.digest, stored=stored, mime=image.mime,
        width=image.width, height=image.height, size=image.size, alt=image.alt, no_alt=image.no_alt, at=image.at,
    )  # fmt: skip


def describe_image(
    by: Membership, image: Attachment, alt: str, *, needs_none: bool = False, now: dt.datetime
) -> Attachment:
    """Say what is to be seen on an image that was not sent, or that it needs no words (`needs_none`).

    The pages call this at every pause in typing: the audit has a row when words come to be, fall away, or are left out.
    """
    conversation = _check_own(by, image)
    limits = media_of(conversation.network) if conversation else None
    most = (limits.max_alt if limits else 0) or MAX_ALT
    alt = " ".join(alt.replace("\x00", "").split())
    if any("\ud800" <= letter <= "\udfff" for letter in alt):
        raise InvalidInput("The description contains characters that cannot be sent. Type them again.")
    if len(alt) > most:
        raise InvalidInput(f"A description has at most {most:,} characters; this one has {len(alt):,}.")
    before = (bool(image.alt), image.no_alt)
    with transaction.atomic():
        image.alt, image.no_alt = alt, needs_none and not alt
        unsent = Attachment.objects.of(by.workspace).filter(pk=image.pk, approval__isnull=True)
        if not unsent.update(alt=image.alt, no_alt=image.no_alt):
            raise InvalidInput("This image was sent already.")
        if before != (bool(alt), image.no_alt):
            write_audit(by.workspace, by, "image.describe", conversation, now, image=image.pk)
    return image


def drop_image(by: Membership, image: Attachment, *, now: dt.datetime) -> None:
    """Take an image out of the composer again; one that was sent stays."""
    conversation = _check_own(by, image)
    with transaction.atomic():
        rows = Attachment.objects.of(by.workspace).filter(pk=image.pk, approval__isnull=True)
        if not rows.exists():
            raise InvalidInput("This image was sent already.")
        remove_files(rows)
        write_audit(by.workspace, by, "image.drop", conversation, now, image=image.pk)


def check_images(
    by: Membership, conversation: Conversation, network: str, images: Sequence[Attachment]
) -> list[Attachment]:
    """The images that would go out with a reply, locked, in this order. Within a transaction.

    Raises `NotAllowed` for one of another conversation or colleague, `InvalidInput` where the network takes none or
    fewer.
    """
    if not images:
        return []
    limits = _limits(network)
    rows = {row.pk: row for row in unsent_images(conversation, by).select_for_update()}
    chosen = [rows[image.pk] for image in images if image.pk in rows]
    if len(chosen) != len(images) or len({image.pk for image in chosen}) != len(images):
        raise NotAllowed("An image of this reply is not there any more, or was sent. Take it out and add it again.")
    if len(chosen) > limits.most:
        raise InvalidInput(_too_many(network, limits))
    if any(image.size > limits.max_bytes or image.mime not in limits.kinds for image in chosen):
        raise InvalidInput("An image is too large, or of a kind that this account cannot send. Add it again.")
    return chosen


def send_along(approval: Approval, images: Sequence[Attachment]) -> None:
    """These images belong to what was approved from now on. Within the transaction of the approval."""
    Attachment.objects.of(approval.workspace_id).filter(pk__in=[image.pk for image in images]).update(approval=approval)


def content_of(image: Attachment) -> bytes | None:
    """The file, exactly as it was kept; None where it is gone or not what was kept."""
    try:
        content = _path(image.stored).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == image.digest else None


def remove_files(images: Iterable[Attachment]) -> int:
    """Delete these rows and, once that is certain, their files. Returns how many."""
    rows = list(images)
    Attachment.objects.filter(pk__in=[row.pk for row in rows]).delete()
    names = [row.stored for row in rows]
    transaction.on_commit(lambda: _unlink(names))
    return len(rows)


def clear_unsent(*, now: dt.datetime) -> int:
    """Delete the images that lay unsent for long, and the files that no row tells of (any more). Returns how many."""
    with transaction.atomic():
        old = Attachment.objects.filter(approval__isnull=True, at__lt=now - UNSENT)[:500]
        gone = remove_files(old)
    return gone + _sweep(now)


def _sweep(now: dt.datetime) -> int:
    with suppress(FileNotFoundError), os.scandir(_folder()) as found:
        limit = (now - _YOUNG).timestamp()
        names = [each.name for each in found if each.is_file() and each.stat().st_mtime < limit]
        for start in range(0, len(names), 500):
            some = names[start : start + 500]
            known = set(Attachment.objects.filter(stored__in=some).values_list("stored", flat=True))
            _unlink(lost := [name for name in some if name not in known])
            if lost:
                return len(lost) + _sweep(now)
    return 0


def _check_own(by: Membership, image: Attachment) -> Conversation | None:
    """The conversation that it was brought for; None = for a post of our own."""
    require(by, "draft")
    conversation, post = image.conversation, image.own_post
    if post is not None and image.workspace_id == by.workspace_id:
        if post.author_id == by.pk or (post.proposed and by.may("send") is True):
            return None
        raise NotAllowed("This is the image of a colleague.")
    if image.workspace_id != by.workspace_id or conversation is None:
        raise NotAllowed("This image belongs to another conversation.")
    require_conversation(by, conversation, "draft")
    if image.by_id != by.pk and not unsent_images(conversation, by).filter(pk=image.pk).exists():
        raise NotAllowed("This is the image of a colleague.")
    return conversation


def _limits(network: str) -> MediaLimits:
    limits = media_of(network)
    if limits is None:
        raise InvalidInput(f"No images can be sent to {_title(network)} from here: take them out, or send a link.")
    return limits


def _too_many(network: str, limits: MediaLimits) -> str:
    most = "one image" if limits.most == 1 else f"{limits.most} images"
    return f"{_title(network)} takes at most {most} with a post: take one out first."


def _title(network: str) -> str:
    found = network_named(network)
    return found.title if found else network


def _folder() -> Path:
    folder: Path = settings.RAPPORT.data_dir / "attachments"
    return folder


def _path(stored: str) -> Path:
    if not _STORED.fullmatch(stored):
        raise FileNotFoundError(stored)
    return _folder() / stored


def _write(stored: str, content: bytes) -> None:
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(_path(stored), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:  # a disk that is full or broken: half a file helps nobody
        _unlink([stored])
        raise


def _unlink(names: Iterable[str]) -> None:
    for name in names:
        with suppress(FileNotFoundError):
            (_folder() / name).unlink()
