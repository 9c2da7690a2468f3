"""Drafts of rule sets: begun, saved, run beside the rules in force, published, thrown away. A draft decides nothing."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.rules import check_document, put_in_force, read_anew
from rapport.core.errors import InvalidInput, NotAllowed, Stale
from rapport.core.rules import default_document
from rapport.core.rules.document import MAX_DOCUMENT
from rapport.store.models import Membership, RuleDraft, RuleSet, ShadowDifference, Workspace

#: characters of a name
MAX_NAME = 120
#: how long a draft can run beside the rules in force at once
LONGEST_SHADOW = dt.timedelta(days=31)


def begin_draft(
    by: Membership, name: str, document: str | None = None, *, base: int | None = None, now: dt.datetime
) -> RuleDraft:
    """A new draft: of the rules in force, or of a document (a pack, a file). It need not compile yet.

    `base`: the version that the document was made from, where that is not the newest; what came in force since is
    taken over later. One that is not there counts as the newest.
    Raises `InvalidInput` where the name is empty or taken, or the document too long.
    """
    require(by, "configure")
    name = _clean_name(name)
    newest = RuleSet.objects.of(by.workspace).order_by("-version").first()
    known = base is not None and RuleSet.objects.of(by.workspace).filter(version=base).exists()
    version = base if known and base is not None else newest.version if newest else 0
    text = document if document is not None else newest.document if newest else default_document()
    with transaction.atomic():
        draft = RuleDraft(
            workspace=by.workspace, name=name, document=_clean_document(text), base=version,
            author=by, created_at=now, updated_by=by, updated_at=now,
        )  # fmt: skip
        _store(draft)
        write_audit(by.workspace, by, "rule_draft.begin", draft, now, name=name, base=draft.base)
        announce(by.workspace, now, kind="config")
    return draft


def save_draft(
    by: Membership, draft: RuleDraft, document: str, revision: int, *, now: dt.datetime, base: int | None = None
) -> RuleDraft:
    """New words for a draft; faults in it are shown and keep nobody from saving. `base`: brought up to date with it.

    Raises `Stale` where somebody saved since `revision`. A draft that runs beside the rules in force stops doing so:
    its figures belong to the words that made them.
    """
    _require_own(by, draft)
    text = _clean_document(document)
    with transaction.atomic():
        row = _lock(draft)
        if row.revision != revision:
            raise Stale(f"{row.updated_by or 'A former colleague'} saved this draft meanwhile.")
        if row.document == text and base in (None, row.base):
            return row
        stopped = _is_beside(row, now)
        row.document, row.revision = text, row.revision + 1
        row.base = row.base if base is None else base
        row.updated_by, row.updated_at = by, now
        row.shadow_until = now if stopped else row.shadow_until
        row.save(update_fields=["document", "revision", "base", "updated_by", "updated_at", "shadow_until"])
        if stopped:
            read_anew(by.workspace_id)
        write_audit(
            by.workspace, by, "rule_draft.save", row, now, name=row.name, revision=row.revision, stopped=stopped
        )
        announce(by.workspace, now, kind="config")
    return row


def rename_draft(by: Membership, draft: RuleDraft, name: str, *, now: dt.datetime) -> RuleDraft:
    """Another name. Raises `InvalidInput` where it is empty or taken."""
    _require_own(by, draft)
    with transaction.atomic():
        row = _lock(draft)
        before, row.name = row.name, _clean_name(name)
        _store(row, update_fields=["name"])
        write_audit(by.workspace, by, "rule_draft.rename", row, now, name=row.name, before=before)
        announce(by.workspace, now, kind="config")
    return row


def delete_draft(by: Membership, draft: RuleDraft, *, now: dt.datetime) -> None:
    """Throw a draft away, with its trials."""
    _require_own(by, draft)
    with transaction.atomic():
        row = _lock(draft)
        was_beside = _is_beside(row, now)
        write_audit(by.workspace, by, "rule_draft.delete", row, now, name=row.name, revision=row.revision)
        row.delete()
        if was_beside:
            read_anew(by.workspace_id)
        announce(by.workspace, now, kind="config")


def publish_draft(
    by: Membership, draft: RuleDraft, reason: str, revision: int, over: int, *, now: dt.datetime
) -> RuleSet:
    """Put a draft in force as the next version. `revision` of the draft and `over`, the version in force, are those
    whose difference the person saw.

    Raises `Stale` where either has moved on since, `InvalidRule` where the draft cannot be used, `InvalidInput` where
    no reason is given or nothing would change.
    """
    require(by, "publish")
    _require_own(by, draft)
    if not reason.strip():
        raise InvalidInput("Say in a few words what changes and why: colleagues read it beside the version.")
    with transaction.atomic():
        row = _lock(draft)
        if row.revision != revision:
            raise Stale(f"{row.updated_by or 'A former colleague'} saved this draft meanwhile.")
        newest = RuleSet.objects.of(by.workspace).order_by("-version").first()
        if (newest.version if newest else 0) != over:
            raise Stale("Other rules came in force meanwhile. Look at what publishing would change now.")
        if newest is not None and newest.document == row.document:
            raise InvalidInput("The draft says what is in force already: nothing would change.")
        check_document(by.workspace, row.document)
        if _is_beside(row, now):
            row.shadow_until = now
        rules = put_in_force(by, row.document, reason, now, draft=row.name)
        row.published_as, row.base = rules.version, rules.version
        row.save(update_fields=["published_as", "base", "shadow_until"])
    return rules


def run_beside(by: Membership, draft: RuleDraft, until: dt.datetime, *, now: dt.datetime) -> RuleDraft:
    """Let a draft decide beside the rules in force until a time; nothing but figures comes of it. Its earlier figures
    go. Raises `InvalidRule` where it cannot be used, `InvalidInput` for a time that does not lie ahead.
    """
    _require_own(by, draft)
    if not now < until <= now + LONGEST_SHADOW:
        raise InvalidInput(f"Choose an end that lies ahead, at most {LONGEST_SHADOW.days} days.")
    with transaction.atomic():
        row = _lock(draft)
        check_document(by.workspace, row.document)
        ShadowDifference.objects.of(by.workspace).filter(draft=row).delete()
        row.shadow_from, row.shadow_until, row.shadow_seen, row.shadow_different = now, until, 0, 0
        row.save(update_fields=["shadow_from", "shadow_until", "shadow_seen", "shadow_different"])
        read_anew(by.workspace_id)
        write_audit(by.workspace, by, "rule_draft.beside", row, now, name=row.name, until=until.isoformat())
        announce(by.workspace, now, kind="config")
    return row


def stop_beside(by: Membership, draft: RuleDraft, *, now: dt.datetime) -> RuleDraft:
    """End it before its time; the figures stay."""
    _require_own(by, draft)
    with transaction.atomic():
        row = _lock(draft)
        if not _is_beside(row, now):
            raise InvalidInput("This draft does not run beside the rules in force any more.")
        row.shadow_until = now
        row.save(update_fields=["shadow_until"])
        read_anew(by.workspace_id)
        write_audit(by.workspace, by, "rule_draft.stop", row, now, name=row.name)
        announce(by.workspace, now, kind="config")
    return row


def _require_own(by: Membership, draft: RuleDraft) -> None:
    require(by, "configure")
    if draft.workspace_id != by.workspace_id:
        raise NotAllowed("This draft belongs to another workspace.")


def _lock(draft: RuleDraft) -> RuleDraft:
    # the workspace first, as a worker does that records a batch and then counts what a draft made of it
    Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=draft.workspace_id)
    try:
        return RuleDraft.objects.of(draft.workspace_id).select_for_update().get(pk=draft.pk)
    except RuleDraft.DoesNotExist:
        raise Stale("A colleague threw this draft away meanwhile.") from None


def _is_beside(draft: RuleDraft, now: dt.datetime) -> bool:
    return draft.shadow_until is not None and draft.shadow_until > now


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInput(f"Give the draft a name of one line, at most {MAX_NAME} characters.")
    return name


def _clean_document(document: str) -> str:
    text = document.replace("\r\n", "\n").replace("\x00", "\ufffd")
    if len(text) > MAX_DOCUMENT:
        raise InvalidInput(f"The document has {len(text):,} characters; at most {MAX_DOCUMENT:,} are read.")
    return text


def _store(draft: RuleDraft, update_fields: list[str] | None = None) -> None:
    try:
        with transaction.atomic():
            draft.save(update_fields=update_fields)
    except IntegrityError:
        raise InvalidInput(f"There is a draft named {draft.name} already.") from None
