"""Offers beyond policy: made within one's limit, or asked of a lead; agreed, declined, kept or broken.

Nobody decides on what they asked for themselves, and nobody allows more than they may offer.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

from django.db import transaction
from django.utils.text import slugify

from rapport.actions.audit import announce, require, require_conversation, write_audit
from rapport.actions.notices import notify
from rapport.actions.tasks import FARTHEST
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.notice_text import write_notice
from rapport.core.offers import CURRENCIES, stand
from rapport.core.tasks import MAX_TITLE
from rapport.store.models import Allowance, Approval, Conversation, Membership, Offer, Task
from rapport.store.queries.notices import leads_of
from rapport.store.queries.policy import limits_of, open_asks

State = Offer.State
#: how long after they agreed somebody is asked whether it came to be
ASK_AFTER = dt.timedelta(days=7)
#: the same offer again within this time is one form sent twice
TWICE = dt.timedelta(minutes=1)
Answer = Literal["offered", "agreed", "declined", "kept", "broken"]


def make_offer(
    by: Membership,
    conversation: Conversation,
    what: str,
    amount: Decimal | None = None,
    currency: str = "",
    reason: str = "",
    *,
    ask: bool = False,
    now: dt.datetime,
) -> Offer:
    """Set down what is offered to the person of a conversation. Above one's limit it must be asked (`ask`): then it
    waits for a lead, and may be said once they allowed it.

    Raises `NotAllowed` for what is above the limit and not asked, `InvalidInput`.
    """
    require_conversation(by, conversation, "draft")
    what, currency, reason = slugify(what)[:63], currency if amount is not None else "", _one_line(reason)[:300]
    if conversation.person_id is None:
        raise InvalidInput("Nobody knows who wrote this.")
    if not what or not Allowance.objects.of(by.workspace).filter(what=what).exists():
        raise InvalidInput("This is not among what may be offered here. A lead can add it under What may be offered.")
    if amount is not None and (currency not in CURRENCIES or amount <= 0):
        raise InvalidInput("Say how much, and in which currency.")
    within = _may_offer(by, what, amount, currency, ask)
    if not within and not reason:
        raise InvalidInput("Say why it is right here: whoever decides will read it.")
    with transaction.atomic():
        told = {"conversation": conversation, "what": what, "amount": amount, "currency": currency, "by": by}
        if again := Offer.objects.of(by.workspace).filter(at__gt=now - TWICE, reason=reason, **told).first():
            return again
        offer = Offer.objects.create(
            workspace=by.workspace, person_id=conversation.person_id, reason=reason, at=now,
            state=State.OFFERED if within else State.ASKED, **told,
        )  # fmt: skip
        _write(by, offer, "offer.make" if within else "offer.ask", now)
        if not within:
            _tell_leads(by, offer, now)
    return offer


def _may_offer(by: Membership, what: str, amount: Decimal | None, currency: str, ask: bool) -> bool:
    """True where it is within the limit, False where a lead has to be asked and is. Raises where neither holds."""
    limit = limits_of(by).get(what)
    standing = stand(limit, amount, currency, by.may("allow") is True)
    if standing == "no-sum":
        raise InvalidInput("Say how much: what you may offer of it has a limit.")
    if standing == "within":
        return True
    if ask:
        return False
    if standing == "other-currency" and limit is not None:
        raise NotAllowed(f"Your limit is in {limit.currency}. Ask a lead for anything else.")
    if standing == "above" and limit is not None:
        raise NotAllowed(f"You may offer up to {limit.most} {limit.currency} by yourself. Ask a lead for more.")
    raise NotAllowed("Your role does not offer this by itself. Ask a lead.")


def decide_offer(by: Membership, offer: Offer, allow: bool, words: str = "", *, now: dt.datetime) -> Offer:
    """A lead allows what a colleague asked for, or refuses it with a reason; whoever asked is told.

    Raises `NotAllowed` for one's own, and for more than one may offer oneself.
    """
    require(by, "allow")
    _check_workspace(by, offer)
    words = _one_line(words)[:300]
    if offer.by_id == by.pk:
        raise NotAllowed("You asked for this yourself: somebody else decides.")
    if allow:
        standing = stand(limits_of(by).get(offer.what), offer.amount, offer.currency, decides=True)
        if standing not in {"within", "no-sum"}:
            raise NotAllowed("This is more than you may offer yourself. Somebody with a higher limit decides.")
    elif not words:
        raise InvalidInput("Say why not: whoever asked will read it.")
    becomes = State.ALLOWED if allow else State.REFUSED
    with transaction.atomic():
        rows = Offer.objects.of(by.workspace).filter(pk=offer.pk, state=State.ASKED)
        if not rows.update(state=becomes, decided_by=by, decided_at=now, decision=words):
            raise InvalidInput("A colleague was faster: this is decided already.")
        offer.refresh_from_db()
        _write(by, offer, "offer.allow" if allow else "offer.refuse", now)
        if offer.by is not None:
            text = write_notice("offer-allowed" if allow else "offer-refused", by=str(by), what=_said(offer))
            notify(
                by.workspace, [offer.by], "answer", bundle=f"offer:{offer.pk}", text=text,
                conversation=offer.conversation, by=by, now=now,
            )  # fmt: skip
    return offer


def answer_offer(
    by: Membership,
    offer: Offer,
    becomes: Answer,
    words: str = "",
    ask_at: dt.datetime | None = None,
    *,
    now: dt.datetime,
) -> Offer:
    """What became of an offer: it was said, they agreed or declined, it came to be or it did not.

    Once they agreed, a task asks at `ask_at` (in a week, unless told) whether it came to be.
    """
    if offer.conversation is not None:
        require_conversation(by, offer.conversation, "draft")
    else:
        require(by, "allow")
        _check_workspace(by, offer)
    words = _one_line(words)[:300]
    if becomes == "broken" and not words:
        raise InvalidInput("Say what went wrong: it stands with the offer.")
    ask_at = (ask_at or now + ASK_AFTER) if becomes == "agreed" else None
    if ask_at is not None and not now < ask_at <= now + FARTHEST:
        raise InvalidInput("Choose a day that lies ahead on which somebody asks whether it came to be.")
    sources = [state for state, targets in Offer.MOVES.items() if becomes in targets]
    with transaction.atomic():
        row = Offer.objects.of(by.workspace).select_for_update().filter(pk=offer.pk, state__in=sources).first()
        if row is None:
            raise InvalidInput("This offer is somewhere else by now: look at it again.")
        row.state, row.ask_at = becomes, ask_at
        if becomes == "offered":
            row.approval = _said_in(row)
        elif becomes == "agreed":
            row.agreed_at = now
            _ask_later(by, row, ask_at or now, now)
        else:
            row.outcome, row.outcome_at = words, now
            open_asks(row).update(done_at=now, done_by=by)
        row.save()
        _write(by, row, "offer.answer", now, becomes)
    return row


def _said_in(offer: Offer) -> Approval | None:
    """The newest reply here since it was allowed: the one that it was said in."""
    rows = Approval.objects.of(offer.workspace_id).filter(conversation=offer.conversation_id, machine__isnull=True)
    return rows.filter(kind=None, approved_at__gte=offer.decided_at or offer.at).order_by("-pk").first()


def _ask_later(by: Membership, offer: Offer, at: dt.datetime, now: dt.datetime) -> None:
    """The task that asks whether it came to be, of whoever offered it while they work here."""
    member = offer.by if offer.by is not None and offer.by.active and offer.by.may("note") is True else by
    who = offer.person.name if offer.person else ""
    # pages say before it what is asked, in the language of whoever reads it
    title = ", ".join(filter(None, (_said(offer), _one_line(who))))[:MAX_TITLE]
    basket = offer.conversation.basket if offer.conversation else None
    task = Task.objects.create(
        workspace_id=offer.workspace_id, title=title, conversation=offer.conversation, person=offer.person,
        basket=basket, assignee=member, due_at=at, made_by=by, made_at=now, offer=offer,
    )  # fmt: skip
    write_audit(offer.workspace_id, by, "task.make", task, now, title=title, kind=task.kind)


def _tell_leads(by: Membership, offer: Offer, now: dt.datetime) -> None:
    talk = offer.conversation
    leads = [each for each in leads_of(by.workspace_id, talk.basket_id if talk else None) if each.pk != by.pk]
    text = write_notice("offer-asked", by=str(by), what=_said(offer))
    notify(by.workspace, leads, "proposal", bundle=f"offer:{offer.pk}", text=text, conversation=talk, by=by, now=now)


def _write(by: Membership, offer: Offer, verb: str, now: dt.datetime, becomes: str = "") -> None:
    told = {"what": _said(offer), "conversation": offer.conversation_id, **({"state": becomes} if becomes else {})}
    write_audit(by.workspace, by, verb, offer, now, **told)
    if offer.conversation_id is not None:
        announce(by.workspace, now, [offer.conversation_id])


def _said(offer: Offer) -> str:
    """ "refund 40 EUR"."""
    amount = f" {offer.amount.normalize():f} {offer.currency}" if offer.amount is not None else ""
    return f"{offer.what}{amount}"


def _check_workspace(by: Membership, offer: Offer) -> None:
    if offer.workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")


def _one_line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())
