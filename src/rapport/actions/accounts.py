"""Workspaces, members, sign-in links, profiles."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import zoneinfo
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.text import slugify

from rapport.actions.audit import announce, require, write_audit, write_audits
from rapport.actions.presence import clear_away
from rapport.actions.shipped import say_shipped
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.keys import check_keys
from rapport.core.roles import ROLES
from rapport.core.rules import DEFAULT_BASKETS, default_document
from rapport.core.rules.replies import DEFAULT_REPLIES
from rapport.core.rules.spoken import say_whole, spoken
from rapport.store.models import (
    ApiToken,
    Basket,
    BasketMember,
    Conversation,
    Membership,
    PreparedReply,
    RuleSet,
    SignInLink,
    Task,
    User,
    Workspace,
)

#: where somebody goes once a conversation is dealt with: to the next one, to the list, or nowhere
AFTER = ("next", "list", "stay")


def create_workspace(owner: User, name: str, slug: str = "", timezone: str = "UTC", *, now: dt.datetime) -> Workspace:
    """A workspace ready to work in: baskets, rules and prepared replies, and `owner` as its first member.

    What ships is said in the language of the owner. Slugs are the same in every language.
    """
    check_timezone(timezone)
    slug = slugify(slug or name)[:50] or "desk"
    if Workspace.objects.filter(slug=slug).exists():
        raise InvalidInput(f"There is a workspace {slug!r} already; choose another name.")
    with transaction.atomic(), translation.override(owner.language):
        workspace = Workspace.objects.create(name=name, slug=slug, timezone=timezone, created_at=now)
        member = Membership.objects.create(workspace=workspace, user=owner, role="owner", created_at=now)
        for shipped in DEFAULT_BASKETS:
            basket = Basket.objects.create(
                workspace=workspace,
                slug=shipped.slug,
                name=say_shipped(shipped.name),
                tone=shipped.tone,
                position=shipped.position,
            )
            BasketMember.objects.create(workspace=workspace, basket=basket, membership=member)
        PreparedReply.objects.bulk_create(
            PreparedReply(workspace=workspace, slug=each, name=say_shipped(title), text=say_whole(text, say_shipped))
            for each, title, text in DEFAULT_REPLIES
        )
        RuleSet.objects.create(
            workspace=workspace,
            version=1,
            document=spoken(default_document(), say_shipped),
            note=say_shipped("The rules that ship"),
            created_at=now,
        )
        write_audit(workspace, member, "workspace.create", workspace, now, name=name)
    return workspace


def invite(
    by: Membership, email: str, name: str, role: str, baskets: Sequence[Basket], *, now: dt.datetime
) -> tuple[Membership, str]:
    """A new member and the token of a link that signs them in once, within seven days."""
    require(by, "team")
    _check_role(by, role)
    email = email.strip().lower()
    with transaction.atomic():
        user = User.objects.filter(email__iexact=email).first() or User.objects.create_user(
            email, name=name, timezone=by.workspace.timezone
        )
        if Membership.objects.of(by.workspace).filter(user=user).exists():
            raise InvalidInput(f"{email} is a member already; change their role in the list.")
        member = Membership.objects.create(workspace=by.workspace, user=user, role=role, created_at=now)
        _put_into_baskets(member, baskets)
        # somebody with a password signs in with it: a link for them would be a way round their second factor
        token = "" if user.has_usable_password() else _make_link(user, dt.timedelta(days=7), now)
        write_audit(by.workspace, by, "member.invite", member, now, email=email, role=role)
    return member, token


def change_member(
    by: Membership,
    member: Membership,
    *,
    role: str,
    active: bool,
    baskets: Sequence[Basket],
    capacity: int = 0,
    now: dt.datetime,
) -> Membership:
    """Set a member's role, baskets and capacity. The last owner can neither step down nor leave.

    Who leaves takes their programs' tokens with them: whoever comes back makes new ones. What they had on their desk
    goes back to its baskets, also where they stay and may write no replies any more.
    """
    require(by, "team")
    if member.workspace_id != by.workspace_id:
        raise NotAllowed("This member belongs to another workspace.")
    _check_role(by, role)
    if member.role == "owner" and by.role != "owner":
        raise NotAllowed("Only an owner can change an owner.")
    with transaction.atomic():
        owners = Membership.objects.of(by.workspace).filter(role="owner", active=True)
        if member.role == "owner" and (role != "owner" or not active) and owners.count() <= 1:
            raise InvalidInput("This is the last owner. Make somebody else an owner first.")
        before = {"role": member.role, "active": member.active}
        member.role, member.active, member.capacity = role, active, capacity
        member.save(update_fields=["role", "active", "capacity"])
        # who stays in a basket keeps their turn in it
        theirs = BasketMember.objects.of(by.workspace).filter(membership=member)
        theirs.exclude(basket__in=baskets).delete()
        held = set(theirs.values_list("basket", flat=True))
        _put_into_baskets(member, [basket for basket in baskets if basket.pk not in held])
        clear_away(member, now=now)
        if member.may("draft") is not True:
            _hand_over(by, member, now)
        if not active:
            _end_tokens(by, member, now)
        write_audit(by.workspace, by, "member.change", member, now, before=before, role=role, active=active)
        announce(by.workspace, now, kind="config")
    return member


def held_by(member: Membership) -> QuerySet[Conversation]:
    """The conversations on somebody's desk. What is dealt with stays theirs, until somebody writes in it again."""
    states = (Conversation.State.OPEN, Conversation.State.PENDING, Conversation.State.SNOOZED)
    return Conversation.objects.of(member.workspace_id).filter(assignee=member, state__in=states)


def tasks_of(member: Membership) -> QuerySet[Task]:
    """What somebody still has to do."""
    return Task.objects.of(member.workspace_id).filter(assignee=member, done_at__isnull=True)


def _hand_over(by: Membership, member: Membership, now: dt.datetime) -> None:
    """Conversations go back to their baskets; open tasks too, and those of no basket to whoever asked for them."""
    talks = list(held_by(member).select_for_update(no_key=True).order_by("pk").values_list("pk", "basket_id"))
    rows = Conversation.objects.filter(pk__in=[pk for pk, _ in talks])
    rows.update(assignee=None, touched_at=now)
    detail = {"before": {"assignee": member.pk}, "after": {"assignee": None}, "left": str(member)}
    write_audits(by.workspace_id, "conversation.assign", "conversation", {pk: detail for pk, _ in talks}, now, by=by)
    tasks = tasks_of(member).select_for_update(of=("self",)).select_related("made_by__user").order_by("pk")
    for task in (shown := list(tasks)):
        asked = task.made_by if task.made_by_id != member.pk else None
        heir = asked if asked is not None and asked.may("note") is True else by
        # whoever has it now is reminded anew
        task.assignee, task.reminded_at = None if task.basket_id else heir, None
        task.save(update_fields=["assignee", "reminded_at"])
        after = {"assignee": task.assignee_id}
        write_audit(by.workspace, by, "task.change", task, now, before={"assignee": member.pk}, after=after)
    touched = {pk for pk, _ in talks} | {task.conversation_id for task in shown if task.conversation_id is not None}
    if touched:
        announce(by.workspace, now, sorted(touched), [basket for _, basket in talks])


def make_sign_in_link(user: User, valid: dt.timedelta, *, now: dt.datetime, by: Membership | None = None) -> str:
    """The token of a link that signs `user` in once. `by` None: made on the machine itself, at its terminal."""
    if by is not None:
        require(by, "team")
        member = Membership.objects.of(by.workspace).filter(user=user).first()
        if member is None:
            raise NotAllowed("This person is not a member of your workspace.")
        if member.role == "owner" and by.role != "owner":
            raise NotAllowed("Only an owner can make a sign-in link for an owner.")
        if Membership.objects.filter(user=user).exclude(workspace=by.workspace).exists():
            raise NotAllowed("This person works in other workspaces too; only they can reset their own access.")
    with transaction.atomic():
        token = _make_link(user, valid, now)
        for member in user.memberships.all():
            write_audit(member.workspace_id, by, "user.sign_in_link", user, now)
    return token


def find_sign_in_link(token: str, *, now: dt.datetime) -> SignInLink | None:
    """The link behind a token while it can still be used."""
    return SignInLink.objects.filter(
        digest=_digest(token), used_at__isnull=True, expires_at__gt=now, user__is_active=True
    ).first()


def redeem_sign_in_link(token: str, *, now: dt.datetime) -> User:
    """Use a link up and return its user. Raises `InvalidInput` when it was used, has expired or never existed."""
    with transaction.atomic():
        link = find_sign_in_link(token, now=now)
        used = link and SignInLink.objects.filter(pk=link.pk, used_at__isnull=True).update(used_at=now)
        if not link or not used:
            raise InvalidInput(
                "This link has been used or has expired. Ask an admin of your workspace for a new one, "
                "or run `rapport up` again on the machine for the first sign-in."
            )
        for member in link.user.memberships.all():
            write_audit(member.workspace_id, member, "user.sign_in", link.user, now, by="link")
    return link.user


def save_profile(
    user: User, *, name: str, timezone: str, theme: str, language: str, shortcuts: bool, after: str = "next",
    now: dt.datetime,
) -> User:  # fmt: skip
    """A person's own settings. `after`: where they go once a conversation is dealt with."""
    check_timezone(timezone)
    if theme not in {"auto", "light", "dark"}:
        raise InvalidInput("The theme is one of auto, light and dark.")
    if after not in AFTER:
        raise InvalidInput(f"What comes after a conversation is one of {', '.join(AFTER)}.")
    with transaction.atomic():
        user.name, user.timezone, user.theme, user.language, user.shortcuts = name, timezone, theme, language, shortcuts
        user.after = after
        user.save(update_fields=["name", "timezone", "theme", "language", "shortcuts", "after"])
        for member in user.memberships.all():
            write_audit(member.workspace_id, member, "user.profile", user, now)
    return user


def save_keys(user: User, chosen: Mapping[str, str], *, now: dt.datetime) -> User:
    """A person's own keys: act -> key, "" for none; what is not named is as shipped. Raises `InvalidKeys`."""
    kept = check_keys(chosen) or None
    with transaction.atomic():
        user.keys = kept
        user.save(update_fields=["keys"])
        for member in user.memberships.all():
            write_audit(member.workspace_id, member, "user.keys", user, now)
    return user


def check_timezone(name: str) -> None:
    """Raise `InvalidInput` unless `name` is a time zone that this machine knows."""
    if name not in zoneinfo.available_timezones():
        raise InvalidInput(f"{name!r} is no time zone; write one such as Europe/Berlin.")


def _check_role(by: Membership, role: str) -> None:
    if role not in ROLES:
        raise InvalidInput(f"{role!r} is no role; the roles are {', '.join(ROLES)}.")
    if role == "owner" and by.role != "owner":
        raise NotAllowed("Only an owner can make another owner.")


def _end_tokens(by: Membership, member: Membership, now: dt.datetime) -> None:
    """A token that slept would wake when somebody of the same name is let in again."""
    for token in ApiToken.objects.of(by.workspace).filter(membership=member, revoked_at__isnull=True):
        ApiToken.objects.filter(pk=token.pk).update(revoked_at=now)
        write_audit(by.workspace, by, "token.revoke", token, now, name=token.name)


def _put_into_baskets(member: Membership, baskets: Sequence[Basket]) -> None:
    for basket in baskets:
        if basket.workspace_id != member.workspace_id:
            raise NotAllowed("A basket belongs to another workspace.")
        BasketMember.objects.create(workspace=member.workspace, basket=basket, membership=member)


def _make_link(user: User, valid: dt.timedelta, now: dt.datetime) -> str:
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, digest=_digest(token), expires_at=now + valid)
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
