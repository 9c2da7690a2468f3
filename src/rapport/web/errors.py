"""Pages for what went wrong, in our look; each says what the person can do next.

htmx gets the sentence alone, to show it where the person works.
"""

from __future__ import annotations

import re
import sys

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from rapport.core.roles import ROLES, Right, may
from rapport.store.models import Membership

#: what SQLite, PostgreSQL and Linux say of a full disk
_FULL = re.compile(r"disk is full|no space left|could not extend file", re.IGNORECASE)


def page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """An error page, or its sentence alone for htmx. Holds nothing of the request: for one person, equal errors are
    equal bytes."""
    if request.headers.get("HX-Request"):
        return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    # a database that broke must not be asked for the theme
    theme = "auto" if status >= 500 else getattr(getattr(request, "user", None), "theme", "auto")
    body = render_to_string("errors/page.html", {"status": status, "title": title, "text": text, "theme": theme})
    return HttpResponse(body, status=status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404 for whatever is missing or not this person's: the same bytes in either case."""
    return page(
        request,
        404,
        _("There is nothing here"),
        _("It was moved, it never existed, or it belongs to a workspace or basket that is not yours."),
    )


def refused(request: HttpRequest, reason: str) -> HttpResponse:
    """400 with the sentence that says what cannot be accepted and why."""
    return page(request, 400, _("This cannot be accepted"), reason)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400 for what no form of ours sends."""
    return refused(
        request, _("The request makes no sense to the desk. Go back, load the page again and try once more.")
    )


def denied(request: HttpRequest, reason: str = "", right: Right | None = None) -> HttpResponse:
    """403 for a role that may not do this, with the names of colleagues who can."""
    membership: Membership | None = getattr(request, "membership", None)
    if not reason:
        reason = _("Your role in this workspace does not include this.")
    if membership is not None and right is not None:
        reason = f"{reason} {who_can(membership, right)}"
    return page(request, 403, _("This is not yours to do"), reason)


def who_can(membership: Membership, right: Right) -> str:
    """A sentence with up to three colleagues whose role holds the right."""
    roles = [role for role in ROLES if may(role, right)]
    people = (
        Membership.objects.of(membership.workspace_id)
        .filter(active=True, user__is_active=True, role__in=roles)
        .select_related("user")
        .order_by("id")[:3]
    )
    names = [str(colleague.user) for colleague in people]
    if not names:
        return _("Ask the person who set up this workspace.")
    return _("Ask %(names)s for help.") % {"names": _(" or ").join(names)}


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 that Django raises by itself."""
    return denied(request, str(exception) if exception and str(exception) else "")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that did not come from a page of ours, or from one of before the last sign-in."""
    return page(
        request,
        403,
        _("This form is too old"),
        _("You signed in or out since it was opened, or it came from another site. Load the page again and repeat it."),
    )


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """429 for somebody who tries too often."""
    response = page(
        request,
        429,
        _("Too many tries"),
        _("Wait five minutes and try again. If you forgot your password, ask an admin for a sign-in link."),
    )
    response.headers["Retry-After"] = "300"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault, or 507 where the disk is full. Touches no database, since that may be what broke."""
    error = sys.exc_info()[1]
    if isinstance(error, DatabaseError | OSError) and _FULL.search(str(error)):
        said = _("There is no room left where the desk keeps its data. Tell whoever runs it, and try again afterwards.")
        return page(request, 507, _("The disk is full"), f"{said} {_('Nothing you wrote was sent.')}")
    return page(
        request,
        500,
        _("The desk made a mistake"),
        _("Nothing you wrote was sent. Try again in a moment; if it stays, tell an admin when it happened."),
    )
