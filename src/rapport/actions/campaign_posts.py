"""The work of a campaign: each single send in it, which is an approval as any other.

There is no door of its own here: every word that leaves goes through `outbound.approve`, with its own verdict and its
own entry in the ledger. What the guard would hold is not approved; it stays in the list and says why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from django.db import transaction

from rapport.actions.audit import require, require_conversation, sees, write_audit
from rapport.actions.campaigns import MAX_REASON, MAX_TEXT, require_state
from rapport.actions.outbound import approve
from rapport.core.campaigns import Reason
from rapport.core.errors import GuardRefused, InvalidInput, NotAllowed, Stale
from rapport.core.reply import Verdict
from rapport.store.models import Campaign, CampaignPost, Channel, Delivery, Membership
from rapport.store.queries.campaigns import account_for, speaking, why_not_any_more

State = CampaignPost.State
#: posts that one confirmed list sends at most
MOST_AT_ONCE = 50

#: what is said of a post that nobody answers any more
WHY: dict[Reason, str] = {
    "ours": "We said this ourselves.",
    "shared": "It shares somebody else's post.",
    "unopened": "It lies in no conversation that can be answered any more.",
    "suppressed": "They asked us to stop: nothing goes to them any more.",
    "ignored": "A colleague decided not to answer them.",
    "automated": "The account looks automated.",
    "no-account": "No account of ours is connected there.",
    "answered": "We have answered in this conversation meanwhile.",
    "elsewhere": "Another campaign that runs has it.",
    "often": "This person is written to often enough in this campaign.",
    "too-many": "The campaign holds no more.",
}


def give_posts(by: Membership, rows: Sequence[CampaignPost], to: Membership | None, *, now: dt.datetime) -> int:
    """Make posts of a campaign somebody's work (None: whoever comes). Returns how many.

    Raises `InvalidInput` for somebody who could not send one of them, and changes nothing then.
    """
    require(by, "campaign")
    if to is not None:
        _own_member(by, to)
    with transaction.atomic():
        for row in rows:
            require_conversation(by, row.conversation, "send")
            if to is not None and (to.may("send") is not True or not sees(to, row.conversation)):
                raise InvalidInput(f"{to} cannot answer all of these: their role or their baskets do not allow it.")
        ids = [row.pk for row in rows]
        given = CampaignPost.objects.of(by.workspace).filter(pk__in=ids, state__in=[State.WAITING, State.HELD])
        changed = given.update(assignee=to)
        write_audit(by.workspace, by, "campaign.give", to, now, posts=ids)
    return changed


def _own_member(by: Membership, to: Membership) -> None:
    if to.workspace_id != by.workspace_id or not to.active:
        raise NotAllowed("This colleague does not work here.")


def save_post_text(by: Membership, row: CampaignPost, text: str, *, now: dt.datetime) -> CampaignPost:
    """Keep what somebody makes of the words that wait for a post. The pages call this at every pause in typing.

    Raises `Stale` where a colleague sent it, or wrote something else there since `row` was read.
    """
    require_conversation(by, row.conversation, "send")
    text = text.replace("\x00", "").replace("\r\n", "\n")
    if len(text) > 10 * MAX_TEXT:
        raise InvalidInput("This is longer than any network takes.")
    with transaction.atomic():
        open_rows = CampaignPost.objects.of(by.workspace).filter(pk=row.pk).exclude(state=State.SENT)
        if not open_rows.filter(text=row.text).update(text=text):
            sent = "A colleague has sent this one meanwhile."
            raise Stale("A colleague changed these words meanwhile; theirs stand." if open_rows.exists() else sent)
        if not row.text:
            write_audit(by.workspace, by, "campaign.write", row, now)
    row.text = text
    return row


def skip_post(by: Membership, row: CampaignPost, reason: str, *, now: dt.datetime) -> CampaignPost:
    """Leave a post out, and why."""
    require_conversation(by, row.conversation, "send")
    reason = reason.replace("\x00", "").strip()[:MAX_REASON]
    if not reason:
        raise InvalidInput("Say in a word why it is left out.")
    return _settle(by, row, State.SKIPPED, reason, "campaign.skip", now)


def take_up_post(by: Membership, row: CampaignPost, *, now: dt.datetime) -> CampaignPost:
    """It is answered after all: it waits again."""
    require_conversation(by, row.conversation, "send")
    return _settle(by, row, State.WAITING, "", "campaign.take_up", now)


def _settle(by: Membership, row: CampaignPost, state: str, reason: str, verb: str, now: dt.datetime) -> CampaignPost:
    before = [source for source, targets in CampaignPost.MOVES.items() if state in targets and source != State.SENT]
    with transaction.atomic():
        rows = CampaignPost.objects.of(by.workspace).filter(pk=row.pk, state__in=before)
        if not rows.update(state=state, reason=reason, by=by, decided_at=now):
            raise Stale("A colleague dealt with this one meanwhile.")
        write_audit(by.workspace, by, verb, row, now, reason=reason)
    row.refresh_from_db()
    return row


class _Held(Exception):
    """The guard would hold it: what was begun is rolled back."""


def send_post(by: Membership, row: CampaignPost, text: str, *, version: int, now: dt.datetime) -> CampaignPost:
    """A person sends exactly this text to this post; `version`: of its conversation, as they saw it.

    What stands in the way is told by the row that comes back: it is held or refused with the reason, and nothing was
    approved. Raises `NotAllowed`, `InvalidInput` where the campaign does not run, and `Stale` where a colleague dealt
    with it.
    """
    require_conversation(by, row.conversation, "send")
    require_state(row.campaign, Campaign.State.RUNNING)
    account = account_for(row, speaking(row.campaign))
    reason = why_not_any_more(row) or ("no-account" if account is None else None)
    if reason is not None or account is None:
        return _keep(by, row, State.REFUSED, WHY[reason or "no-account"], text, now)
    try:
        with transaction.atomic():
            _approve(by, row, text, account, version, now)
    except _Held as held:
        return _keep(by, row, State.HELD, str(held), text, now)
    except (GuardRefused, Stale, InvalidInput) as problem:
        if CampaignPost.objects.filter(pk=row.pk, state=State.SENT).exists():
            raise Stale("A colleague has sent this one meanwhile.") from problem
        state = State.REFUSED if isinstance(problem, GuardRefused) else State.HELD
        return _keep(by, row, state, str(problem), text, now)
    row.refresh_from_db()
    return row


def _approve(by: Membership, row: CampaignPost, text: str, account: Channel, version: int, now: dt.datetime) -> None:
    _claim(by, row, text, now)
    delivery = approve(by, row.conversation, text, target=row.post, channel=account, version=version, now=now)
    if delivery.state == Delivery.State.HELD:
        raise _Held(_say(delivery.approval.verdict))
    CampaignPost.objects.filter(pk=row.pk).update(approval=delivery.approval)
    write_audit(by.workspace, by, "campaign.send", row, now, approval=delivery.approval_id)


def _say(verdict: str) -> str:
    """What stands in the way, each with its remedy."""
    findings = msgspec.json.decode(verdict, type=Verdict).findings
    said = [f"{found.reason} {found.remedy}".strip() for found in findings if found.standing != "allow"]
    return " ".join(said)


def _claim(by: Membership, row: CampaignPost, text: str, now: dt.datetime) -> None:
    """Of two colleagues who press in the same moment one goes on."""
    campaign = Campaign.objects.of(by.workspace).select_for_update().get(pk=row.campaign_id)
    require_state(campaign, Campaign.State.RUNNING)
    rows = CampaignPost.objects.of(by.workspace).filter(pk=row.pk).exclude(state=State.SENT)
    if not rows.update(state=State.SENT, text=text.strip(), reason="", by=by, decided_at=now):
        raise Stale("A colleague has sent this one meanwhile.")


def _keep(by: Membership, row: CampaignPost, state: str, reason: str, text: str, now: dt.datetime) -> CampaignPost:
    with transaction.atomic():
        rows = CampaignPost.objects.of(by.workspace).filter(pk=row.pk).exclude(state=State.SENT)
        rows.update(state=state, reason=reason[:MAX_REASON], text=text, by=by, decided_at=now)
        write_audit(by.workspace, by, "campaign.keep", row, now, state=state, reason=reason[:MAX_REASON])
    row.refresh_from_db()
    return row


class Press(NamedTuple):
    """One post of a list that a person confirms: what they read and saw."""

    row: CampaignPost
    text: str
    #: of its conversation
    version: int


def send_posts(by: Membership, presses: Sequence[Press], *, now: dt.datetime) -> list[CampaignPost]:
    """Confirm a checked list: each is an approval of its own, with its own verdict, in the order given.

    Returns all of them as they stand afterwards: sent, held or refused with the reason. Raises `NotAllowed` before
    anything is sent where one of them may not be sent by this person.
    """
    require(by, "send")
    if not presses:
        raise InvalidInput("Check at least one.")
    if len(presses) > MOST_AT_ONCE:
        raise InvalidInput(f"At most {MOST_AT_ONCE} at once; {len(presses)} are checked.")
    for press in presses:
        require_conversation(by, press.row.conversation, "send")
    done = []
    for press in presses:
        try:
            done.append(send_post(by, press.row, press.text, version=press.version, now=now))
        except Stale:
            press.row.refresh_from_db()
            done.append(press.row)
    return done
