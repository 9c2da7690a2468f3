"""Webhooks: addresses of other programs that rules tell of a conversation, and the calls on their way there.

A call is a row before anything leaves, and is tried with the same id until it is taken or given up; each step moves it
by a conditional UPDATE on the fence of its claim. So a process that dies loses nothing, and the receiver can tell a
repeat by the id.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import uuid
from collections.abc import Collection, Sequence

import msgspec
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import AddressRefused, InvalidInput, NotAllowed, Reauthorise
from rapport.core.post import Post
from rapport.core.webhooks import RULE_FIRED, SECRET_BYTES, wait_before, write_secret
from rapport.networks.addresses import check_url
from rapport.store.models import Conversation, Membership, RuleEffect, Webhook, WebhookCall
from rapport.store.secrets import seal, unseal

MAX_URL = 2_000  # characters
MAX_WEBHOOKS = 50  # of one workspace
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")

State = WebhookCall.State


# ---------------------------------------------------------------- the addresses


def add_webhook(by: Membership, slug: str, url: str, *, now: dt.datetime) -> tuple[Webhook, str]:
    """A new address, and the secret that its calls are signed with, which is shown this once."""
    require(by, "channels")
    if not _SLUG.match(slug):
        raise InvalidInput("The short name has small letters, digits and hyphens, at most 63: rules call it by this.")
    url = _check_address(url)
    with transaction.atomic():
        rows = Webhook.objects.of(by.workspace)
        if rows.filter(slug=slug).exists():
            raise InvalidInput(f"There is a webhook {slug} already; choose another short name.")
        if rows.count() >= MAX_WEBHOOKS:
            raise InvalidInput(f"There are {MAX_WEBHOOKS} webhooks already; delete one that is not used any more.")
        secret = write_secret(os.urandom(SECRET_BYTES))
        hook = Webhook.objects.create(
            workspace=by.workspace, slug=slug, url=url, secret=seal(secret).decode("ascii"), created_at=now
        )
        write_audit(by.workspace, by, "webhook.add", hook, now, name=slug, url=url)
        announce(by.workspace, now, kind="config")
    return hook, secret


def change_webhook(by: Membership, hook: Webhook, url: str, *, now: dt.datetime) -> Webhook:
    """Another address for the same short name; what waits goes there."""
    _require_hook(by, hook)
    url = _check_address(url)
    with transaction.atomic():
        before, hook.url = hook.url, url
        hook.save(update_fields=["url"])
        write_audit(by.workspace, by, "webhook.change", hook, now, name=hook.slug, before=before, after=url)
    return hook


def pause_webhook(by: Membership, hook: Webhook, paused: bool, *, now: dt.datetime) -> Webhook:
    """Nothing is called while it is paused; what waits goes out when it is taken up again."""
    _require_hook(by, hook)
    with transaction.atomic():
        hook.active, hook.problem, hook.failures = not paused, "", 0
        hook.save(update_fields=["active", "problem", "failures"])
        write_audit(by.workspace, by, "webhook.pause" if paused else "webhook.resume", hook, now, name=hook.slug)
        announce(by.workspace, now, kind="config")
    return hook


def renew_secret(by: Membership, hook: Webhook, *, now: dt.datetime) -> str:
    """A new secret, shown this once; the one before holds no more."""
    _require_hook(by, hook)
    secret = write_secret(os.urandom(SECRET_BYTES))
    with transaction.atomic():
        hook.secret = seal(secret).decode("ascii")
        hook.save(update_fields=["secret"])
        write_audit(by.workspace, by, "webhook.secret", hook, now, name=hook.slug)
    return secret


def delete_webhook(by: Membership, hook: Webhook, *, now: dt.datetime) -> None:
    """Forget an address, with what waits for it. Rules that name it say so from then on."""
    _require_hook(by, hook)
    with transaction.atomic():
        write_audit(by.workspace, by, "webhook.delete", hook, now, name=hook.slug, url=hook.url)
        hook.delete()
        announce(by.workspace, now, kind="config")


def try_webhook(by: Membership, hook: Webhook, *, now: dt.datetime) -> WebhookCall:
    """Queue a call that says only that it is a test."""
    _require_hook(by, hook)
    if not hook.active:
        raise InvalidInput("This webhook is paused; take it up again first.")
    with transaction.atomic():
        call = _queue(hook, {"type": "test", "timestamp": now.isoformat(), "data": {"by": str(by)}}, now)
        write_audit(by.workspace, by, "webhook.try", hook, now, name=hook.slug)
    return call


def retry_call(by: Membership, call: WebhookCall, *, now: dt.datetime) -> WebhookCall:
    """Put a call that was given up back into the queue; where its webhook is paused, it waits there."""
    _require_hook(by, call.webhook)
    with transaction.atomic():
        rows = WebhookCall.objects.of(by.workspace).filter(pk=call.pk, state=State.FAILED)
        if not rows.update(state=State.QUEUED, tries=0, next_try_at=now, settled_at=None, cause=""):
            raise InvalidInput("This call is on its way or was taken already.")
        write_audit(by.workspace, by, "webhook.retry", call.webhook, now, name=call.webhook.slug)
    call.refresh_from_db()
    return call


def _require_hook(by: Membership, hook: Webhook) -> None:
    require(by, "channels")
    if hook.workspace_id != by.workspace_id:
        raise NotAllowed("This webhook belongs to another workspace.")


def _check_address(url: str) -> str:
    url = url.strip()
    if len(url) > MAX_URL:
        raise InvalidInput(f"The address has {len(url):,} characters; at most {MAX_URL:,} fit.")
    try:
        check_url(url)
    except AddressRefused as error:
        raise InvalidInput(f"This address cannot be called: {error}.") from None
    return url


# ---------------------------------------------------------------- calls


def queue_for_rules(
    workspace_id: int, due: Sequence[tuple[RuleEffect, Conversation, Post]], *, now: dt.datetime
) -> None:
    """One call for each effect, in the caller's transaction."""
    hooks = {hook.slug: hook for hook in Webhook.objects.of(workspace_id).select_related("workspace")}
    WebhookCall.objects.bulk_create(
        _make(hooks[effect.argument], tell(effect.rule, hooks[effect.argument], conversation, post, now), now)
        for effect, conversation, post in due
        if effect.argument in hooks
    )


def tell(rule: str, hook: Webhook, conversation: Conversation, post: Post, now: dt.datetime) -> dict[str, object]:
    """What a receiver learns: which rule, which conversation, and the post that it fired on."""
    author = post.author
    return {
        "type": RULE_FIRED,
        "timestamp": now.isoformat(),
        "data": {
            "rule": rule,
            "workspace": hook.workspace.slug,
            "conversation": {
                "id": conversation.pk,
                "path": f"/w/{hook.workspace.slug}/c/{conversation.pk}/",
                "network": conversation.network,
                "basket": conversation.basket.slug if conversation.basket else "",
                "state": conversation.state,
                "priority": Conversation.Priority(conversation.priority).name.lower(),
                "score": conversation.score,
                "why": conversation.why,
            },
            "post": {
                "network": post.network, "id": post.id, "url": post.url, "kind": post.kind, "text": post.text,
                "created_at": post.created_at.isoformat(),
                "author": {"id": author.id, "handle": author.handle, "name": author.name, "url": author.url},
            },
        },
    }  # fmt: skip


def _queue(hook: Webhook, told: dict[str, object], now: dt.datetime) -> WebhookCall:
    call = _make(hook, told, now)
    call.save(force_insert=True)
    return call


def _make(hook: Webhook, told: dict[str, object], now: dt.datetime) -> WebhookCall:
    return WebhookCall(
        workspace_id=hook.workspace_id, webhook=hook, key=f"msg_{uuid.uuid4().hex}", next_try_at=now, queued_at=now,
        body=msgspec.json.encode(told).decode(),
    )  # fmt: skip


def claim_call(lease: dt.timedelta, *, besides: Collection[object] = (), now: dt.datetime) -> WebhookCall | None:
    """Take the next call that is due, with a new fence; None when nothing is due.

    besides: ids of webhooks that are not called now. Nor is one that another process is calling: a receiver has one
    call at a time. A claim whose lease ran out is taken over: the receiver may have had it, and tells a repeat by its
    id. One whose caller died again and again waits longer and longer, and is given up, as if it had been refused.
    """
    while True:
        call, lapsed = _claim(lease, besides, now)
        if call is None or not lapsed:
            return call


def _claim(lease: dt.timedelta, besides: Collection[object], now: dt.datetime) -> tuple[WebhookCall | None, bool]:
    """The next call; True: its callers died, so it was put off or given up instead of claimed."""
    under_way = WebhookCall.objects.filter(state=State.SENDING, next_try_at__gt=now)
    due = Q(state__in=[State.QUEUED, State.SENDING], next_try_at__lte=now, webhook__active=True)
    with transaction.atomic():
        call = (
            # the webhook is locked too: two processes never claim two calls of one receiver at once.
            # no_key: batches that queue calls meanwhile refer to its row, and are not waited for
            WebhookCall.objects.select_for_update(skip_locked=True, no_key=True, of=("self", "webhook"))
            .select_related("webhook")
            .filter(due, ~Q(webhook__in=besides), ~Exists(under_way.filter(webhook=OuterRef("webhook"))))
            .order_by("next_try_at", "pk")
            .first()
        )
        # looked at again under the lock: another process may have claimed one since this one began to look
        if call is None or under_way.filter(webhook=call.webhook_id).exists():
            return None, False
        if call.state == State.SENDING and call.tries > 1:
            _put_off(call, now)
            return call, True
        # until the lease ends nobody else takes it
        call.state, call.fence, call.tries, call.next_try_at = (
            State.SENDING,
            call.fence + 1,
            call.tries + 1,
            now + lease,
        )
        call.save(update_fields=["state", "fence", "tries", "next_try_at"])
        write_audit(call.workspace_id, None, "webhook.call", call.webhook, now, name=call.webhook.slug)
    return call, False


def _put_off(call: WebhookCall, now: dt.datetime) -> None:
    cause = "The desk was stopped in the middle of this call, and cannot tell whether it arrived."
    wait = wait_before(call.tries, 0.5)
    if wait is None:
        settle_given_up(call, f"Given up after {call.tries} tries: {cause}", close=True, now=now)
    else:
        settle_again(call, cause, now + dt.timedelta(seconds=wait), now=now)


def settle_taken(call: WebhookCall, *, now: dt.datetime) -> bool:
    """The receiver has it. False: the claim was lost meanwhile."""
    with transaction.atomic():
        settled = _settle(call, state=State.SENT, cause="", settled_at=now)
        if settled:
            Webhook.objects.filter(pk=call.webhook_id).exclude(failures=0, problem="").update(failures=0, problem="")
            write_audit(call.workspace_id, None, "webhook.taken", call.webhook, now, name=call.webhook.slug)
    return settled


def settle_again(call: WebhookCall, cause: str, at: dt.datetime, *, now: dt.datetime) -> bool:
    """It was not taken: due again at `at`."""
    with transaction.atomic():
        settled = _settle(call, state=State.QUEUED, cause=cause[:300], next_try_at=at)
        if settled:
            _count_failure(call, cause)
            write_audit(
                call.workspace_id, None, "webhook.again", call.webhook, now, name=call.webhook.slug, cause=cause[:300]
            )
    return settled


def settle_given_up(call: WebhookCall, cause: str, *, close: bool, now: dt.datetime) -> bool:
    """It will not be tried again. `close`: nor is anything else sent there until an admin takes it up again."""
    with transaction.atomic():
        settled = _settle(call, state=State.FAILED, cause=cause[:300], settled_at=now)
        if settled:
            _count_failure(call, cause)
            if close:
                Webhook.objects.filter(pk=call.webhook_id).update(active=False)
                announce(call.workspace_id, now, kind="config")
            write_audit(
                call.workspace_id, None, "webhook.given_up", call.webhook, now, name=call.webhook.slug,
                cause=cause[:300], paused=close,
            )  # fmt: skip
    return settled


def _settle(call: WebhookCall, **fields: object) -> bool:
    mine = WebhookCall.objects.filter(pk=call.pk, fence=call.fence, state=State.SENDING)
    return mine.update(**fields) == 1


def _count_failure(call: WebhookCall, cause: str) -> None:
    hook = Webhook.objects.select_for_update(no_key=True).get(pk=call.webhook_id)
    hook.failures, hook.problem = hook.failures + 1, cause[:300]
    hook.save(update_fields=["failures", "problem"])


def secret_of(hook: Webhook) -> str:
    """What its calls are signed with. Raises `InvalidInput` when no key of the desk opens it."""
    try:
        return unseal(hook.secret.encode("ascii"))
    except Reauthorise:
        raise InvalidInput(
            "The secret cannot be decrypted with the keys of this desk; make a new one under Webhooks."
        ) from None
