"""What rules propose: a person takes it, and the act that it names is done as that person, or dismisses it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.db import transaction

from rapport.actions import desk
from rapport.actions.acknowledge import acknowledge
from rapport.actions.acts import approve_act
from rapport.actions.audit import announce, require_conversation, write_audit
from rapport.actions.ladder import reach_steps
from rapport.actions.notices import notify
from rapport.actions.people import ignore_person
from rapport.actions.surveys import put_into_draft
from rapport.actions.tags import add_tag
from rapport.actions.tasks import make_task
from rapport.actions.webhooks import queue_for_rules
from rapport.core.decision import PRIORITIES
from rapport.core.errors import GuardRefused, InvalidInput
from rapport.core.guard.autonomy import OUTWARD, ActFacts, stands_against
from rapport.core.notice_text import write_notice
from rapport.core.roles import Right
from rapport.core.route import Waiting, deal
from rapport.core.tasks import due_after, read_task
from rapport.networks.registry import network_named
from rapport.store.mapping import post_of
from rapport.store.models import (
    Basket,
    Conversation,
    Handle,
    Membership,
    Person,
    Post,
    PreparedReply,
    RuleEffect,
    Survey,
    Workspace,
)
from rapport.store.queries.effects import Fired
from rapport.store.queries.load import read_team_load
from rapport.store.queries.notices import leads_of, resolve_names
from rapport.store.queries.talk import judge, speaking_channels

State = RuleEffect.State
#: verb -> the right that whoever takes it must have
RIGHTS: dict[str, Right] = {
    **dict.fromkeys(("draft", "survey"), "draft"),
    **dict.fromkeys(("note", "task", "ticket", "idea"), "note"),
    **dict.fromkeys(("boost", "like", "follow"), "send"),
    "ignore": "people",
}


def take(by: Membership, effect: RuleEffect, *, now: dt.datetime) -> RuleEffect:
    """Do what a rule proposed, as this person. Likes, boosts and follows are done on the network, where it takes them
    from here; elsewhere, and invitations, are noted as done by hand.

    Raises `InvalidInput` when a colleague was faster or the thing cannot be done any more, `NotAllowed`.
    """
    conversation = effect.conversation
    require_conversation(by, conversation, right_of(effect))
    _check_person(effect, conversation)
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        _settle(by, effect, State.PROPOSED, State.TAKEN, now)
        _TAKES.get(effect.verb, _nothing)(by, effect, conversation, now)
        write_audit(by.workspace, by, "proposal.take", conversation, now, rule=effect.rule, what=said(effect))
        announce(by.workspace, now, [conversation.pk], [conversation.basket_id])
    effect.refresh_from_db()
    return effect


def dismiss(by: Membership, effect: RuleEffect, *, now: dt.datetime) -> RuleEffect:
    """It does not fit. The rule is not asked again for this conversation; `put_back` takes this back."""
    return _decide(by, effect, State.PROPOSED, State.DISMISSED, "proposal.dismiss", now)


def put_back(by: Membership, effect: RuleEffect, *, now: dt.datetime) -> RuleEffect:
    """A proposal that was dismissed waits again."""
    return _decide(by, effect, State.DISMISSED, State.PROPOSED, "proposal.put_back", now)


def right_of(effect: RuleEffect) -> Right:
    """The right that whoever takes a proposal must have."""
    return RIGHTS.get(effect.verb, "triage")


def said(effect: RuleEffect) -> str:
    """The action as it stands in the rule."""
    return f"{effect.verb}:{effect.argument}" if effect.argument else effect.verb


def _decide(by: Membership, effect: RuleEffect, was: str, becomes: str, verb: str, now: dt.datetime) -> RuleEffect:
    require_conversation(by, effect.conversation, right_of(effect))
    with transaction.atomic():
        _settle(by, effect, was, becomes, now)
        write_audit(by.workspace, by, verb, effect.conversation, now, rule=effect.rule, what=said(effect))
        announce(by.workspace, now, [effect.conversation_id], [effect.conversation.basket_id])
    effect.refresh_from_db()
    return effect


def _settle(by: Membership, effect: RuleEffect, was: str, becomes: str, now: dt.datetime) -> None:
    decided = (by, now) if becomes != State.PROPOSED else (None, None)
    rows = RuleEffect.objects.of(by.workspace).filter(pk=effect.pk, state=was)
    if not rows.update(state=becomes, by=decided[0], decided_at=decided[1]):
        raise InvalidInput("A colleague was faster: this proposal is decided already.")


def _check_person(effect: RuleEffect, conversation: Conversation) -> None:
    """What holds for a rule holds for what it proposed last week: they may have asked us to stop since."""
    person = conversation.person
    if effect.verb not in OUTWARD - {"draft"} or person is None:
        return
    facts = ActFacts(
        ignored=person.ignored,
        suppressed=bool(person.suppressed_reason),
        automated=any(handle.automated for handle in Handle.objects.of(effect.workspace_id).filter(posts=effect.post)),
        held=conversation.workspace.held_at is not None,
    )
    if cause := stands_against(facts):
        raise InvalidInput(cause)


# ---------------------------------------------------------------- what each verb does

_Take = Callable[[Membership, RuleEffect, Conversation, dt.datetime], object]


def _nothing(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    """Done by hand, on the network."""


def _act(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    """In one press, in the name of whoever pressed."""
    if not is_done_here(effect):
        return
    post = Post.objects.of(by.workspace).select_related("handle__person").filter(pk=effect.post).first()
    channels = speaking_channels(conversation)
    if post is None or post.deleted:
        raise InvalidInput("The post that the rule fired on is gone.")
    if not channels:
        raise InvalidInput("No account of this network is connected.")
    try:
        approve_act(by, effect.verb, conversation=conversation, post=post, channel=channels[0], now=now)
    except GuardRefused as error:
        told = [f"{each.reason} {each.remedy}".strip() for each in error.verdict.findings if each.standing == "refuse"]
        raise InvalidInput(" ".join(told)) from None


def is_done_here(effect: RuleEffect) -> bool:
    """Whether taking this like, boost or follow does it on the network; else a person does it there by hand."""
    network = network_named(effect.conversation.network)
    return network is not None and network.capabilities.acts_proposed and effect.verb in network.capabilities.acts


def _move(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    basket = Basket.objects.of(by.workspace).filter(slug=effect.argument).first()
    if basket is None:
        raise InvalidInput(f"There is no basket {effect.argument} any more.")
    desk.move(by, conversation, basket, now=now)


def _assign(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    members = Membership.objects.of(by.workspace).filter(active=True).select_related("user")
    if effect.argument == "known":
        known = conversation.person.known_to_id if conversation.person else None
        member = members.filter(pk=known or 0).first()
    else:
        member = members.filter(user__email__iexact=effect.argument).first()
    if member is None:
        raise InvalidInput("This colleague is not here any more.")
    desk.assign(by, conversation, member, now=now)


def _find_skilled(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    """To whoever works in the basket, is good at it, and has least of what they can take.

    Under the lock of the workspace that `take` holds, so that two of these do not both find somebody's last free place.
    """
    team = read_team_load(by.workspace_id, now).members.get(conversation.basket.slug, ()) if conversation.basket else ()
    good = [member for member in team if effect.argument in member.skills]
    held_by = Conversation.objects.of(by.workspace).values_list("assignee_id", flat=True).get(pk=conversation.pk)
    if held_by in {member.id for member in good}:
        return
    found = deal([Waiting(conversation.pk, conversation.priority, now)], good, "least_loaded", now)
    if not found:
        raise InvalidInput(f"Nobody in this basket who is here and has room is good at {effect.argument}.")
    desk.assign(by, conversation, Membership.objects.of(by.workspace).get(pk=found[0].member), now=now)


def _tag(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    add_tag(by, conversation, effect.argument, now=now)


def _prioritise(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    names = [str(name) for name in PRIORITIES]
    if effect.argument not in names:
        raise InvalidInput(f"There is no priority {effect.argument}.")
    desk.prioritise(by, conversation, names.index(effect.argument), now=now)


def _put_aside(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    desk.put_aside(by, conversation, now=now)


def _begin_from(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    if not PreparedReply.objects.of(by.workspace).filter(slug=effect.argument).exists():
        raise InvalidInput(f"There is no prepared reply {effect.argument} any more.")
    Conversation.objects.filter(pk=conversation.pk).update(draft_slug=effect.argument[:80])


def _invite(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    survey = Survey.objects.of(by.workspace).filter(slug=effect.argument, active=True).first()
    if survey is None:
        raise InvalidInput(f"There is no survey {effect.argument} in use.")
    put_into_draft(by, conversation, survey, now=now)


def _note(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    desk.add_note(by, conversation, effect.argument, now=now)


def _task(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    title, due_at = effect.argument, None
    if effect.verb == "task":
        asked = read_task(effect.argument)
        title = asked.title
        due_at = due_after(now, asked.within, ZoneInfo(by.workspace.timezone)) if asked.within else None
    make_task(by, title, kind=effect.verb, conversation=conversation, due_at=due_at, rule=effect.rule, now=now)


def _tell(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    members = resolve_names(by.workspace_id, [effect.argument])[effect.argument] or leads_of(by.workspace_id)
    text = write_notice("rule-taken", by=str(by), rule=effect.rule)
    notify(by.workspace, members, "rule", text=text, conversation=conversation, by=by, now=now)


def _call(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    post = Post.objects.of(by.workspace).select_related("handle").filter(pk=effect.post).first()
    if post is None:
        raise InvalidInput("The post that the rule fired on is gone.")
    queue_for_rules(by.workspace_id, [(effect, conversation, post_of(post))], now=now)


def _escalate(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    reach_steps(by.workspace_id, [(effect, _person_of(conversation).pk)], now=now)


def _ignore(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    ignore_person(by, _person_of(conversation), f"The rule {effect.rule} proposed it.", now=now)


def _acknowledge(by: Membership, effect: RuleEffect, conversation: Conversation, now: dt.datetime) -> None:
    post = Post.objects.of(by.workspace).select_related("handle", "outcome").filter(pk=effect.post).first()
    outcome = judge(post) if post else None
    if post is None or outcome is None:
        raise InvalidInput("The post that the rule fired on is gone.")
    person = post.handle.person_id
    fired = Fired(post.pk, conversation.pk, person, post_of(post), outcome, automated=post.handle.automated)
    if cause := acknowledge(by.workspace_id, [fired], now=now)[post.pk]:
        raise InvalidInput(cause)


def _person_of(conversation: Conversation) -> Person:
    if conversation.person is None:
        raise InvalidInput("Nobody knows who wrote this.")
    return conversation.person


_TAKES: dict[str, _Take] = {
    "basket": _move, "person": _assign, "skill": _find_skilled, "tag": _tag, "priority": _prioritise,
    "quarantine": _put_aside, "draft": _begin_from, "survey": _invite,
    "like": _act, "boost": _act, "follow": _act,
    "note": _note, "task": _task, "ticket": _task, "idea": _task, "notify": _tell, "webhook": _call,
    "escalate": _escalate, "ignore": _ignore, "acknowledge": _acknowledge,
}  # fmt: skip
