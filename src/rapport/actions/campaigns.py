"""Campaigns: what is looked for, in which words it may be answered, and when people may work on it.

What is done with each post is in `actions/campaign_posts.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.outbound import cancel_delivery
from rapport.core.campaigns import MOST_POSTS, MOST_VARIANTS, deal, sift
from rapport.core.draft import check_template
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.query import compile_topics
from rapport.store.models import Campaign, CampaignPost, Channel, Delivery, Membership, Topic, Variant
from rapport.store.queries.campaigns import conversations_of, search, weigh_found

State = CampaignPost.State
MAX_TEXT = 5_000  # characters of a wording
MAX_REASON = 300


class Terms(NamedTuple):
    """What a campaign looks for, and from where it answers."""

    name: str
    query: str = ""
    topic: Topic | None = None
    channel: Channel | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    per_person: int = 1


# ---------------------------------------------------------------- building


def save_campaign(
    by: Membership, campaign: Campaign | None, terms: Terms, variants: Sequence[tuple[str, str]], *, now: dt.datetime
) -> Campaign:
    """Make a campaign, or change one that does not run. `variants`: name and text of each wording, in order.

    What waits already keeps the words that a colleague wrote for it. Raises `InvalidInput` (`InvalidQuery` among it).
    """
    require(by, "campaign")
    _own(by, campaign)
    terms, wordings = _check_terms(by, terms), _check_variants(variants)
    with transaction.atomic():
        row = campaign or Campaign(workspace=by.workspace, made_by=by, at=now)
        if campaign is not None:
            row = Campaign.objects.of(by.workspace).select_for_update().get(pk=campaign.pk)
            require_state(row, "draft", "stopped")
        for field, value in terms._asdict().items():
            setattr(row, field, value)
        row.save()
        Variant.objects.filter(campaign=row).exclude(name__in=[name for name, _ in wordings]).delete()
        for name, text in wordings:
            Variant.objects.update_or_create(
                campaign=row, name=name, defaults={"workspace": by.workspace, "text": text}
            )
        _deal(row)
        write_audit(
            by.workspace, by, "campaign.save", row, now, name=row.name, query=row.query, topic=row.topic_id,
            variants=dict(wordings),
        )  # fmt: skip
    return row


def _check_terms(by: Membership, terms: Terms) -> Terms:
    name, query = terms.name.strip()[:120], terms.query.replace("\x00", "").strip()
    if not name:
        raise InvalidInput("Give the campaign a name.")
    if not query and terms.topic is None:
        raise InvalidInput("Say what it looks for: words, or a topic.")
    if query:
        compile_topics([("it", query)])
    for what in (terms.topic, terms.channel):
        if what is not None and what.workspace_id != by.workspace_id:
            raise NotAllowed("This belongs to another workspace.")
    if terms.since and terms.until and terms.since >= terms.until:
        raise InvalidInput("The end lies before the beginning: change one of the two.")
    if not 1 <= terms.per_person <= 10:
        raise InvalidInput("One person is written to once at least and ten times at most.")
    return terms._replace(name=name, query=query)


def _check_variants(variants: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    kept = [(name.strip()[:40], text.replace("\x00", "").replace("\r\n", "\n").strip()) for name, text in variants]
    kept = [(name, text) for name, text in kept if text]
    if not kept:
        raise InvalidInput("Write at least one text for people to begin from.")
    if len(kept) > MOST_VARIANTS:
        raise InvalidInput(f"At most {MOST_VARIANTS} wordings; there are {len(kept)}.")
    named = [(name or chr(ord("A") + place), text) for place, (name, text) in enumerate(kept)]
    if len({name.casefold() for name, _ in named}) < len(named):
        raise InvalidInput("Two wordings have the same name: give each its own.")
    for name, text in named:
        if len(text) > MAX_TEXT:
            raise InvalidInput(f"{name} has {len(text):,} characters; at most {MAX_TEXT:,} are kept.")
        check_template(text)
    return named


def find_posts(by: Membership, campaign: Campaign, *, now: dt.datetime) -> int:
    """Look for posts and put those that can be answered into the list; returns how many are new.

    Before it runs, what waits and was touched by nobody is dealt anew. What was left out, and why, is kept with it.
    """
    require(by, "campaign")
    _own(by, campaign)
    require_state(campaign, "draft", "running", "stopped")
    found = search(campaign)  # this may take seconds, in which nobody else has to wait
    with transaction.atomic():
        row = Campaign.objects.of(by.workspace).select_for_update().get(pk=campaign.pk)
        require_state(row, "draft", "running", "stopped")
        if row.state == Campaign.State.DRAFT:
            CampaignPost.objects.filter(campaign=row, state=State.WAITING, text="", assignee=None).delete()
        had = list(CampaignPost.objects.filter(campaign=row).values_list("post__handle__person_id", flat=True))
        sifted = sift(
            weigh_found(row, found.posts), per_person=row.per_person, had=had, room=max(0, MOST_POSTS - len(had))
        )
        talks = conversations_of(row, sifted.kept)
        CampaignPost.objects.bulk_create(
            CampaignPost(workspace=by.workspace, campaign=row, post_id=post, conversation_id=talks[post])
            for post in sifted.kept
        )
        _deal(row)
        row.looked = {
            "at": now.isoformat(), "read": found.read, "capped": found.capped,
            "left_out": [list(each) for each in sifted.left_out],
        }  # fmt: skip
        row.save(update_fields=["looked"])
        write_audit(by.workspace, by, "campaign.find", row, now, found=len(sifted.kept), **dict(sifted.left_out))
    campaign.looked = row.looked
    return len(sifted.kept)


def _deal(campaign: Campaign) -> None:
    """Give a wording to each post that has none."""
    rows = CampaignPost.objects.filter(campaign=campaign)
    variants = list(Variant.objects.filter(campaign=campaign).order_by("pk").values_list("pk", flat=True))
    had = list(rows.filter(variant__isnull=False).values_list("variant", flat=True))
    without = list(rows.filter(variant__isnull=True).order_by("pk").values_list("pk", flat=True))
    by_variant: dict[int, list[int]] = {}
    for row, variant in deal(without, variants, [each for each in had if each]).items():
        by_variant.setdefault(variant, []).append(row)
    for variant, some in by_variant.items():
        rows.filter(pk__in=some).update(variant=variant)


# ---------------------------------------------------------------- running, stopping


def run_campaign(by: Membership, campaign: Campaign, *, now: dt.datetime) -> Campaign:
    """Let colleagues work on it: for the first time, or again after a stop."""
    if not CampaignPost.objects.filter(campaign=campaign).exists():
        raise InvalidInput("There is nothing to answer yet: look for posts first.")
    return _move(by, campaign, Campaign.State.RUNNING, "campaign.run", "", now)


def stop_campaign(by: Membership, campaign: Campaign, reason: str, *, now: dt.datetime) -> int:
    """Nothing of it goes out any more. What was sent and has not left yet is taken back and waits again.

    Returns how many were taken back; what is on its way to the network cannot be.
    """
    reason = reason.replace("\x00", "").strip()[:MAX_REASON]
    if not reason:
        raise InvalidInput("Say why it is stopped: colleagues who work on it will read it.")
    with transaction.atomic():
        row = _move(by, campaign, Campaign.State.STOPPED, "campaign.stop", reason, now)
        waiting = CampaignPost.objects.filter(
            campaign=row, state=State.SENT, approval__delivery__state__in=["queued", "held"]
        ).select_related("approval__delivery__conversation", "approval__delivery__approval")
        back = 0
        for post in waiting:
            delivery = Delivery.objects.get(approval=post.approval_id)
            try:
                cancel_delivery(by, delivery, now=now)
            except InvalidInput:
                continue  # a sender has it meanwhile
            post.state, post.approval, post.reason = State.WAITING, None, ""
            post.save(update_fields=["state", "approval", "reason"])
            back += 1
    return back


def finish_campaign(by: Membership, campaign: Campaign, *, now: dt.datetime) -> Campaign:
    """It is through; its results go on being counted."""
    return _move(by, campaign, Campaign.State.DONE, "campaign.finish", "", now)


def _move(by: Membership, campaign: Campaign, state: str, verb: str, reason: str, now: dt.datetime) -> Campaign:
    require(by, "campaign")
    _own(by, campaign)
    with transaction.atomic():
        row = Campaign.objects.of(by.workspace).select_for_update().get(pk=campaign.pk)
        if state not in Campaign.MOVES[row.state]:
            raise InvalidInput("That cannot be done with it as it stands now; look at it again.")
        row.state, row.stop_reason = state, reason
        row.save(update_fields=["state", "stop_reason"])
        write_audit(by.workspace, by, verb, row, now, name=row.name, reason=reason)
        announce(by.workspace, now, kind="config")
    campaign.state, campaign.stop_reason = row.state, row.stop_reason
    return row


def delete_campaign(by: Membership, campaign: Campaign, *, now: dt.datetime) -> None:
    """Forget one of which nothing was sent."""
    require(by, "campaign")
    _own(by, campaign)
    with transaction.atomic():
        row = Campaign.objects.of(by.workspace).select_for_update().get(pk=campaign.pk)
        if row.state == Campaign.State.RUNNING or row.posts.filter(state=State.SENT).exists():
            raise InvalidInput("Something of it was sent, so it stays for the record. Stop or finish it.")
        write_audit(by.workspace, by, "campaign.delete", row, now, name=row.name)
        row.delete()


def _own(by: Membership, campaign: Campaign | None) -> None:
    if campaign is not None and campaign.workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")


def require_state(campaign: Campaign, *states: str) -> None:
    """Raise `InvalidInput`, which says what to do, unless the campaign is in one of these states."""
    if campaign.state in states:
        return
    if campaign.state == Campaign.State.STOPPED:
        raise InvalidInput(f"This campaign is stopped: {campaign.stop_reason}")
    if campaign.state == Campaign.State.RUNNING:
        raise InvalidInput("This campaign runs. Stop it before it is changed.")
    raise InvalidInput(f"This is not possible while the campaign is a {campaign.state} one.")
