"""The acknowledgement: turned on by an admin, said once by a machine, and in the ledger as what it is.

Nobody reads it before it leaves. So its entry in the ledger has no person: it names the machine, and the admin on whose
standing word it was said; `rapport ledger verify` holds it in the same chain as the words of people.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence

import msgspec
from django.db import transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.ledger import append
from rapport.actions.outbound import describe
from rapport.core.acknowledge import check_texts, choose_text, why_not, write
from rapport.core.errors import InvalidInput
from rapport.core.guard import check
from rapport.core.hours import Hours
from rapport.core.hours_words import say_hours
from rapport.core.reply import Reply, Verdict
from rapport.store.models import (
    Acknowledgement,
    AcknowledgementSettings,
    Approval,
    Basket,
    Channel,
    Conversation,
    Delivery,
    Membership,
    Post,
)
from rapport.store.queries.acknowledge import plan_of, read_wishes, speaking_channel
from rapport.store.queries.effects import Fired, read_act_facts
from rapport.store.queries.outbound import address, read_guard_facts, reply_of
from rapport.store.queries.spend import policy_of

#: the word for it in `Approval.machine`
MACHINE = "acknowledgement"
MAX_LINKS = 10
#: networks whose servers ask that automatic posts stay out of the public timelines
UNLISTED = frozenset({"mastodon"})
#: said in one batch: a wave of thousands is no time for machines to speak
MOST_AT_ONCE = 50


def save_acknowledgement(
    by: Membership,
    *,
    enabled: bool,
    texts: Mapping[str, str],
    help_links: str,
    baskets: Sequence[str],
    by_rules: bool,
    now: dt.datetime,
) -> AcknowledgementSettings:
    """Turn it on or off, in these words and baskets: from then on it stands on this person's word.

    `texts`: language code -> text, "" for all other languages. `by_rules`: only where a rule says "acknowledge".
    Raises `InvalidInput` for a text that does not say that it is automatic.
    """
    require(by, "channels")
    cleaned = check_texts(texts)
    links = [line.strip() for line in help_links.splitlines() if line.strip()]
    if bad := next((link for link in links if not link.startswith(("https://", "http://")) or " " in link), None):
        raise InvalidInput(f"{bad[:80]} is no address of a page; write it in full, with https://.")
    if len(links) > MAX_LINKS:
        raise InvalidInput(f"At most {MAX_LINKS} help pages.")
    known = set(Basket.objects.of(by.workspace).values_list("slug", flat=True))
    if unknown := sorted(set(baskets) - known):
        raise InvalidInput(f"There is no basket {unknown[0]}.")
    if enabled and not cleaned:
        raise InvalidInput("Write the text first.")
    if enabled and not baskets:
        raise InvalidInput("Choose at least one basket in which people ask for help.")
    with transaction.atomic():
        row, _ = AcknowledgementSettings.objects.update_or_create(
            workspace=by.workspace,
            defaults={
                "enabled": enabled, "texts": cleaned, "help_links": "\n".join(links), "baskets": sorted(baskets),
                "by_rules": by_rules, "changed_at": now, "changed_by": by,
            },
        )  # fmt: skip
        verb = "acknowledgement.on" if enabled else "acknowledgement.off"
        write_audit(by.workspace, by, verb, by.workspace, now, texts=cleaned, baskets=sorted(baskets), rules=by_rules)
        announce(by.workspace, now, kind="config")
    return row


def acknowledge(
    workspace_id: int, fired: Sequence[Fired], plan: AcknowledgementSettings | None = None, *, now: dt.datetime
) -> dict[int, str]:
    """Say the one automatic word to these posts where it may be said; row id of the post -> why not, "" = said.

    Runs inside the transaction that records a batch, under the lock of the workspace.
    """
    plan = plan or plan_of(workspace_id)
    if plan is None or plan.changed_by is None or plan.changed_by.may("channels") is not True:
        return dict.fromkeys((each.post for each in fired), "The acknowledgement is not turned on.")
    facts = read_act_facts(workspace_id, fired)
    wishes = read_wishes(workspace_id, fired, facts, now)
    told: dict[int, str] = {}
    spoken: set[int] = set()
    for each in fired:
        wish = wishes.get(each.post)
        cause = why_not(wish, plan.baskets, now) if wish else "The conversation is not there any more."
        if not cause and {-each.person, each.conversation} & spoken:
            cause = "It was said already: once in a conversation, and once a day to a person."
        if not cause and len(spoken) >= 2 * MOST_AT_ONCE:
            cause = "Too many at once."
        told[each.post] = cause or _say(plan, each, now)
        if not told[each.post]:
            spoken |= {-each.person, each.conversation}
    return told


def _say(plan: AcknowledgementSettings, fired: Fired, now: dt.datetime) -> str:
    """Queue the word; why it could not be, "" where it is."""
    conversation = (
        Conversation.objects.of(plan.workspace_id)
        .select_related("channel", "basket", "person")
        .get(pk=fired.conversation)
    )
    target = Post.objects.of(plan.workspace_id).select_related("handle__person").get(pk=fired.post)
    channel = speaking_channel(conversation)
    text = _text(plan, conversation, target, fired.outcome.reading.language)
    if channel is None or not text:
        return "There is no text in their language." if channel else "No account of ours can answer there."
    reply = _quietly(reply_of(channel, target, text, None))
    facts = read_guard_facts(reply, conversation, target, channel, plan.workspace, (), now, acknowledgement=True)
    verdict = check(reply, facts, policy_of(channel), now)
    if verdict.standing != "allow":
        return describe(verdict)[:300]
    approval = _enter(plan, conversation, channel, target, reply, verdict, now)
    delivery = Delivery.objects.create(
        workspace_id=plan.workspace_id, approval=approval, channel=channel, conversation=conversation,
        idempotency_key=uuid.uuid4().hex, next_try_at=now, queued_at=now,
    )  # fmt: skip
    Acknowledgement.objects.create(
        workspace_id=plan.workspace_id, conversation=conversation, post=target.pk, delivery=delivery, text=text, at=now
    )
    write_audit(
        plan.workspace_id, None, "reply.acknowledge", approval, now, conversation=conversation.pk,
        digest=approval.digest, standing_word=approval.standing_word_id,
    )  # fmt: skip
    return ""


def _quietly(reply: Reply) -> Reply:
    """What a machine says in public stands in no public timeline, where the network knows such a thing."""
    if reply.network not in UNLISTED or reply.visibility != "public":
        return reply
    return msgspec.structs.replace(reply, visibility="unlisted")


def _text(plan: AcknowledgementSettings, conversation: Conversation, target: Post, language: str) -> str:
    chosen, spoken = choose_text(plan.texts, language)
    if not chosen:
        return ""
    raw = conversation.basket.hours if conversation.basket else {}
    hours = msgspec.convert(raw, Hours) if raw else Hours()
    name = target.handle.person.name or target.handle.name
    said = write(chosen, name=name, hours=say_hours(hours, spoken), help_links=plan.help_links.splitlines())
    return address(target, said)


def _enter(
    plan: AcknowledgementSettings,
    conversation: Conversation,
    channel: Channel,
    target: Post,
    reply: Reply,
    verdict: Verdict,
    now: dt.datetime,
) -> Approval:
    """Its place in the chain of the ledger: no person, the machine, and whose standing word it is."""
    approval = Approval(
        workspace_id=plan.workspace_id, conversation=conversation, channel=channel, target=target, person=None,
        machine=MACHINE, standing_word=plan.changed_by, text=reply.text, visibility=reply.visibility,
        to=list(reply.to), digest=reply.digest, verdict=msgspec.json.encode(verdict).decode(), approved_at=now,
    )  # fmt: skip
    return append(approval)


def asked_by_rules(fired: Collection[Fired]) -> list[Fired]:
    """Those to whom a rule that acts says "acknowledge"."""
    return [
        each
        for each in fired
        if any(effect.verb == "acknowledge" and effect.level == "act" for effect in each.outcome.decision.effects)
    ]
