"""Articles beside conversations, and what each role may offer."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.text import slugify

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.offers import CURRENCIES
from rapport.core.roles import ROLES
from rapport.store.models import Allowance, Article, ArticleTopic, Membership, Topic

MAX_TEXT = 5_000  # characters: short enough to be read while somebody waits
_LANGUAGE = re.compile(r"[a-z]{2,3}\Z")


def save_article(
    by: Membership,
    article: Article | None,
    *,
    kind: str,
    title: str,
    text: str,
    link: str = "",
    language: str = "",
    topics: Sequence[Topic] = (),
    active: bool = True,
    now: dt.datetime,
) -> Article:
    """Write a new article (None) or change one; conversations of its topics show it."""
    require(by, "policy")
    _check_workspace(by, article, *topics)
    title, text, link = _one_line(title), text.replace("\x00", "").replace("\r\n", "\n").strip(), link.strip()
    if not title or not text:
        raise InvalidInput("An article needs a title and a text.")
    if len(title) > 200 or len(text) > MAX_TEXT:
        raise InvalidInput(f"A title has at most 200 characters, a text {MAX_TEXT:,}; link to the rest of it.")
    if kind not in Article.Kind.values:
        raise InvalidInput(f"{kind!r} is not one of: {', '.join(Article.Kind.values)}.")
    if link and (urlsplit(link).scheme not in {"http", "https"} or len(link) > 2_000):
        raise InvalidInput("The link must be the address of a page, such as https://help.example.com/returns.")
    if language and _LANGUAGE.match(language) is None:
        raise InvalidInput("Write the language as its two letters, such as en or de.")
    with transaction.atomic():
        row = article or Article(workspace=by.workspace)
        row.kind, row.title, row.text, row.link, row.language, row.active = kind, title, text, link, language, active
        row.changed_by, row.changed_at = by, now
        row.save()
        ArticleTopic.objects.of(by.workspace).filter(article=row).delete()
        ArticleTopic.objects.bulk_create(
            ArticleTopic(workspace=by.workspace, article=row, topic=topic)
            for topic in {each.pk: each for each in topics}.values()
        )
        write_audit(by.workspace, by, "article.save", row, now, name=title)
        announce(by.workspace, now, kind="config")
    return row


def delete_article(by: Membership, article: Article, *, now: dt.datetime) -> None:
    """Take an article away for good."""
    require(by, "policy")
    _check_workspace(by, article)
    with transaction.atomic():
        write_audit(by.workspace, by, "article.delete", article, now, name=article.title, text=article.text)
        article.delete()
        announce(by.workspace, now, kind="config")


def save_allowance(
    by: Membership, role: str, what: str, most: Decimal | None, currency: str, note: str = "", *, now: dt.datetime
) -> Allowance:
    """What a role may offer by its own judgement, and up to how much (`most` None: no limit); said again, changed.

    `what` is a name of one's own; two that differ in case or blanks are the same.
    """
    require(by, "policy")
    slug = slugify(what)[:63]
    if not slug:
        raise InvalidInput("Say in Latin letters what may be offered, such as refund or voucher.")
    if role not in ROLES or role == "viewer":
        raise InvalidInput("Choose a role that answers people.")
    if most is not None and currency not in CURRENCIES:
        raise InvalidInput("Say in which currency the limit is.")
    with transaction.atomic():
        row, _ = Allowance.objects.update_or_create(
            workspace=by.workspace, role=role, what=slug,
            defaults={"most": most, "currency": currency if most is not None else "", "note": _one_line(note)[:300]},
        )  # fmt: skip
        said = {"what": slug, "role": role, "most": f"{most} {currency}" if most is not None else ""}
        write_audit(by.workspace, by, "allowance.save", row, now, **said)
        announce(by.workspace, now, kind="config")
    return row


def delete_allowance(by: Membership, allowance: Allowance, *, now: dt.datetime) -> None:
    """The role asks from now on."""
    require(by, "policy")
    _check_workspace(by, allowance)
    with transaction.atomic():
        write_audit(by.workspace, by, "allowance.delete", allowance, now, what=allowance.what, role=allowance.role)
        allowance.delete()
        announce(by.workspace, now, kind="config")


def _check_workspace(by: Membership, *rows: Article | Allowance | Topic | None) -> None:
    if any(row is not None and row.workspace_id != by.workspace_id for row in rows):
        raise NotAllowed("This belongs to another workspace.")


def _one_line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())
