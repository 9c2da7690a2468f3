"""A service that writes drafts: turned on by an admin, asked for one conversation after the other.

What it writes becomes a draft without an author and nothing else. The guard lets it out only after a person has
changed it or has said that it stands as it is (`actions.drafts.confirm_draft`, rule `unread-draft`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import AddressRefused, InvalidInput
from rapport.networks.addresses import check_url
from rapport.store.models import (
    Basket,
    Conversation,
    Draft,
    DraftingSettings,
    DraftSource,
    DraftVersion,
    Membership,
    Post,
)
from rapport.store.queries.outbound import newest_inbound
from rapport.store.secrets import seal

MAX_PROMPT = 4_000  # characters
MAX_DRAFT = 5_000  # characters
#: drafts of one workspace within 24 hours
MOST_A_DAY = 500
#: a conversation whose draft failed, or may not be asked for, is looked at again after this
AGAIN = dt.timedelta(minutes=10)
#: what waited longer is not asked for
WAITED = dt.timedelta(days=3)
#: conversations that are looked at for one that may be asked for
_LOOKED_AT = 20


class Wish(msgspec.Struct, frozen=True):
    """One draft that a service is asked for."""

    settings: DraftingSettings
    conversation: Conversation
    #: what it is to answer
    newest: Post


def save_drafting(
    by: Membership, *, enabled: bool, url: str, key: str | None, model: str, prompt: str, baskets: Sequence[str],
    now: dt.datetime,
) -> DraftingSettings:  # fmt: skip
    """Whether a service writes drafts, and which. `url`: up to and without /chat/completions; `key`: None keeps the one
    that is there. Raises `InvalidInput`.
    """
    require(by, "channels")
    url, model = url.strip().rstrip("/").removesuffix("/chat/completions"), model.strip()
    if enabled or url:
        try:
            check_url(url)
        except AddressRefused as error:
            raise InvalidInput(f"This address cannot be called: {error}.") from None
    if enabled and not (model and baskets):
        raise InvalidInput("Name the model, and at least one basket in which the service is asked.")
    if len(prompt) > MAX_PROMPT or len(model) > 120 or len(url) > 2000:
        raise InvalidInput(f"The words for the service have at most {MAX_PROMPT:,} characters, its name 120.")
    known = set(Basket.objects.of(by.workspace).values_list("slug", flat=True))
    with transaction.atomic():
        row, _ = DraftingSettings.objects.select_for_update().get_or_create(
            workspace=by.workspace, defaults={"changed_at": now}
        )
        row.enabled, row.url, row.model, row.prompt = enabled, url, model, prompt.replace("\x00", "").strip()
        row.baskets = sorted(known & set(baskets))
        row.changed_at, row.changed_by = now, by
        if key is not None:
            row.key = seal(key.strip()).decode("ascii")
        row.save()
        write_audit(
            by.workspace, by, "drafting.save", None, now, enabled=enabled, url=url, model=model, baskets=row.baskets,
            key=bool(row.key),
        )  # fmt: skip
        announce(by.workspace, now, kind="config")
    return row


def claim_wish(*, now: dt.datetime) -> Wish | None:
    """The next conversation that a service is asked about, claimed; None where none is or no service is turned on."""
    for settings in DraftingSettings.objects.filter(enabled=True).select_related("workspace"):
        if settings.workspace.held_at or not settings.baskets or _written_today(settings, now) >= MOST_A_DAY:
            continue
        for pk in list(_waiting(settings, now).values_list("pk", flat=True)[:_LOOKED_AT]):
            wish = _claim(settings, pk, now)
            if wish is not None:
                return wish
    return None


def _written_today(settings: DraftingSettings, now: dt.datetime) -> int:
    rows = DraftVersion.objects.of(settings.workspace_id).filter(author=None, source=DraftSource.SERVICE)
    return rows.filter(at__gt=now - dt.timedelta(days=1)).count()


def _waiting(settings: DraftingSettings, now: dt.datetime):  # type: ignore[no-untyped-def]  # a queryset of ids
    """Open conversations that wait in these baskets and have no draft of a service to their newest word."""
    asked = Draft.objects.filter(
        conversation=OuterRef("pk"), author=None, source=DraftSource.SERVICE, updated_at__gte=OuterRef("last_post_at")
    )
    rows = Conversation.objects.of(settings.workspace_id).filter(
        state=Conversation.State.OPEN, basket__slug__in=settings.baskets, waiting_since__gt=now - WAITED
    )
    return (
        rows.exclude(Exists(asked.exclude(text="")))
        .exclude(Exists(asked.filter(updated_at__gt=now - AGAIN)))
        .order_by(F("priority").desc(nulls_last=True), "-last_post_at")
    )


def _claim(settings: DraftingSettings, pk: int, now: dt.datetime) -> Wish | None:
    """Claim one by writing that it was asked about now, whether it may be asked about or not."""
    with transaction.atomic():
        row = Conversation.objects.select_for_update(of=("self",)).select_related("person").get(pk=pk)
        known = Draft.objects.of(settings.workspace_id).filter(conversation=row, author=None).first()
        claimed = known is not None and known.updated_at > now - AGAIN and not known.text
        if claimed or (known is not None and known.source != DraftSource.SERVICE):
            return None
        newest = newest_inbound(row)
        Draft.objects.update_or_create(
            conversation=row, author=None,
            defaults={
                "workspace": settings.workspace, "text": "", "source": DraftSource.SERVICE,
                "model": settings.model[:64], "based_on": newest, "updated_at": now,
            },
        )  # fmt: skip
    return Wish(settings, row, newest) if newest is not None and may_leave(row, newest) else None


def may_leave(conversation: Conversation, newest: Post) -> bool:
    """Whether words of this conversation may go to a service: never private ones, nor those of people whom nothing goes
    to any more, nor of machines.
    """
    person = newest.handle.person
    if person.suppressed_reason or person.ignored or newest.handle.automated or not newest.text.strip():
        return False
    posts = Post.objects.of(conversation.workspace_id).filter(conversation_id=conversation.pk)
    return not posts.exclude(visibility__in=("public", "unlisted")).exists()


def put_machine_draft(wish: Wish, text: str, *, now: dt.datetime) -> Draft | None:
    """What the service wrote, as a draft without an author. None where they spoke or were answered meanwhile."""
    text = text.replace("\x00", "").strip()[:MAX_DRAFT]
    with transaction.atomic():
        row = Conversation.objects.of(wish.settings.workspace_id).select_for_update().get(pk=wish.conversation.pk)
        draft = Draft.objects.filter(conversation=row, author=None, source=DraftSource.SERVICE).first()
        newest = newest_inbound(row)
        if draft is None or not text or newest is None or newest.pk != wish.newest.pk or row.waiting_since is None:
            return None
        draft.text, draft.origin, draft.updated_at = text, text, now
        draft.save(update_fields=["text", "origin", "updated_at"])
        DraftVersion.objects.create(
            workspace_id=row.workspace_id, conversation=row, author=None, text=text, source=DraftSource.SERVICE, at=now
        )
        write_audit(row.workspace_id, None, "drafting.write", row, now, model=wish.settings.model)
        announce(row.workspace_id, now, [row.pk], [row.basket_id])
    return draft


def note_failure(wish: Wish, reason: str, *, now: dt.datetime) -> None:
    """Why the service wrote nothing; the settings page shows it, and it is asked again in a while."""
    write_audit(wish.settings.workspace_id, None, "drafting.fail", wish.conversation, now, reason=reason[:300])
