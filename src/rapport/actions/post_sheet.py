"""A post of our own before it is approved: where it can go, what it would be on each account, what the guard says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import msgspec
from django.db.models import Q

from rapport.core.approvals import Asking, first_asking
from rapport.core.errors import InvalidInput
from rapport.core.guard import check_act
from rapport.core.parts import MOST, cut_apart, is_cut, put_together
from rapport.core.reply import Verdict
from rapport.networks.contract import Network
from rapport.networks.registry import network_named
from rapport.store.models import Approval, Attachment, Channel, Membership, PostDraft, Workspace
from rapport.store.queries.acts import act_of, read_act_guard
from rapport.store.queries.approval_rules import rules_of
from rapport.store.queries.spend import policy_of


def posting_channels(workspace: Workspace) -> list[Channel]:
    """Accounts that may say something of their own accord, by name; those that were disconnected are not among them."""
    rows = Channel.objects.of(workspace).exclude(state="disconnected").select_related("policy", "workspace")
    return [channel for channel in rows.order_by("name", "pk") if network_of(channel).capabilities.posts]


def network_of(channel: Channel) -> Network:
    """Raises `InvalidInput` for a network that is not there (any more)."""
    found = network_named(channel.network)
    if found is None:
        raise InvalidInput("This network is not there any more; choose another account.")
    return found


def ways_of(draft: PostDraft) -> list[tuple[Channel, str]]:
    """The accounts that shall say it, each with its place as it was entered; those that are gone are left out."""
    known = {channel.pk: channel for channel in posting_channels(draft.workspace)}
    return [(known[each["channel"]], each.get("place", "")) for each in draft.channels if each["channel"] in known]


def said_by(draft: PostDraft) -> str:
    """The words as they would go out: with the name of their author below, where they want it."""
    if not draft.signed or not draft.text.strip():
        return draft.text.strip()
    user = draft.author.user
    name = (user.name or user.email.partition("@")[0]).split()[0]
    *before, last = cut_apart(draft.text) if is_cut(draft.text) else (draft.text.strip(),)
    return put_together([*before, f"{last}\n\n^{name}"])


def seen_drafts(member: Membership) -> list[PostDraft]:
    """Their own, and those of colleagues that wait for somebody who may send; the newest first."""
    mine = Q(author=member)
    if member.may("send") is True:
        mine |= Q(proposed=True)
    rows = PostDraft.objects.of(member.workspace).filter(mine)
    return list(rows.select_related("author__user", "workspace").order_by("-updated_at", "-pk"))


def images_of(draft: PostDraft) -> list[Attachment]:
    """What was brought for it, in order."""
    return list(draft.images.filter(approval__isnull=True).order_by("pk"))


def asked_for_post(author: Membership, channel: Channel, rules: list[Asking] | None = None) -> Asking | None:
    """The rule that asks for somebody else's word on what `author` says from this account; None = none does.

    A post of our own lies in no basket, and answers none of which a condition could be true: that counts as true.
    """
    rules = rules_of(author.workspace_id) if rules is None else rules
    return first_asking(rules, author.role, None, channel.pk, lambda _: True)


def entry_of(
    draft: PostDraft, by: Membership, channel: Channel, place: str, images: Sequence[Attachment],
    despite: Collection[str], now: dt.datetime,
) -> Approval:  # fmt: skip
    """The entry of the ledger that it would be on this account, not stored and without its digest.

    `place`: as the network knows it (`Network.place_of_post`). Raises `InvalidInput`.
    """
    text = said_by(draft)
    parts = cut_apart(text) if is_cut(text) else (text,)
    network = network_of(channel)
    if len(parts) > 1 and not network.capabilities.threads:
        raise InvalidInput(f"{network.title} takes no threads from here: take the lines with the scissors out.")
    if len(parts) > MOST:
        raise InvalidInput(f"A thread has at most {MOST} posts; this one has {len(parts)}.")
    offered = network.capabilities.posts
    return Approval(
        workspace=draft.workspace, channel=channel, person=by, kind=Approval.Kind.POST, text=parts[0],
        parts=list(parts) if len(parts) > 1 else None, to=[place] if place else [],
        visibility=draft.visibility if draft.visibility in offered else offered[0],
        media=[{"digest": each.digest, "alt": each.alt} for each in images] or None,
        despite=sorted(despite), asked_by=draft.author if draft.author_id != by.pk else None, approved_at=now,
    )  # fmt: skip


def judge_entry(entry: Approval, images: Sequence[Attachment], now: dt.datetime) -> Verdict:
    """The guard's word on a post of our own."""
    facts = read_act_guard(entry, now)
    limits = network_of(entry.channel).capabilities.media
    if images and limits is not None and limits.max_alt:
        silent = sum(not image.alt and not image.no_alt for image in images)
        facts = msgspec.structs.replace(facts, images_without_words=silent)
    return check_act(act_of(entry), facts, policy_of(entry.channel), now)
