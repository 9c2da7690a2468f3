"""The one door to the desk: who is in, in which workspace, with which right.

Every view under /w/SLUG/ is wrapped in `desk`. Nobody learns here whether something exists that is not theirs: a
workspace or a row that is missing, foreign, or outside one's baskets gives the same 404 to the byte.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.roles import Right
from rapport.store.models import Basket, Membership, User, Workspace
from rapport.store.queries.desk import visible_baskets
from rapport.web import errors
from rapport.web.told import told

M = TypeVar("M", bound=models.Model)
View = Callable[..., HttpResponseBase]

#: session key of the workspace that was looked at last, where "/" leads
LAST_WORKSPACE = "last_workspace"
MOST_OF_A_NAME = 200  # characters of a wrong name that are told


class DeskRequest(HttpRequest):
    """A request that passed the door."""

    user: User
    workspace: Workspace
    membership: Membership
    #: every workspace that this person works in, by name
    desk_workspaces: list[Workspace]


class PersonRequest(HttpRequest):
    """A request of somebody who signed in, outside any workspace."""

    user: User


def desk(right: Right) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a view through for members whose role holds `right`; takes `slug` out of the address.

    The view gets a `DeskRequest` and the rest of the address: `view(request, pk=...)`. It may be async.
    Anonymous: to the sign-in page. Not an active member: 404, like a workspace that does not exist. Lower role: 403
    with the names of those who can help. `NotAllowed` and `InvalidInput` that a view lets through become 403 and 400.
    The membership is read at every request, so a right that was taken away is gone with the next click.
    """

    def wrap(view: Callable[..., Any]) -> Callable[..., Any]:
        if iscoroutinefunction(view):

            @wraps(view)
            async def guarded_async(request: HttpRequest, slug: str, **rest: Any) -> HttpResponseBase:
                refusal = await sync_to_async(_enter)(request, slug, right)
                if refusal is not None:
                    return refusal
                return await cast("Awaitable[HttpResponseBase]", view(request, **rest))

            return guarded_async

        @wraps(view)
        def guarded(request: HttpRequest, slug: str, **rest: Any) -> HttpResponseBase:
            refusal = _enter(request, slug, right)
            if refusal is not None:
                return refusal
            try:
                return cast("HttpResponseBase", view(request, **rest))
            except NotAllowed as error:
                return errors.denied(request, told(error))
            except InvalidInput as error:
                return errors.refused(request, told(error))

        return guarded

    return wrap


def signed_in(view: Callable[..., HttpResponseBase]) -> View:
    """Let a view outside the workspaces through for anybody who signed in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **rest: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_sign_in(request)
        return view(request, *args, **rest)

    return guarded


def _enter(request: HttpRequest, slug: str, right: Right) -> HttpResponse | None:
    """Puts workspace and membership on the request. Answers None when the person may go on, else the refusal."""
    user = request.user
    if not user.is_authenticated:
        return to_sign_in(request)
    # all of theirs: the navigation leads to the others
    own = Membership.objects.select_related("workspace", "user").filter(user=user, active=True, user__is_active=True)
    memberships = list(own.order_by("workspace__name", "pk"))
    membership = next((each for each in memberships if each.workspace.slug == slug), None)
    if membership is None:
        return errors.not_found(request)
    inside = cast("DeskRequest", request)
    inside.desk_workspaces = [each.workspace for each in memberships]
    inside.membership, inside.workspace = membership, membership.workspace
    if membership.may(right) is not True:
        return errors.denied(request, right=right)
    for name in request.GET:
        if name.startswith("_") or "__" in name:
            # no page of ours makes such a name: it reaches for columns of the database
            return errors.refused(request, _("“%(name)s” is no filter of a list.") % {"name": name[:MOST_OF_A_NAME]})
    if request.session.get(LAST_WORKSPACE) != slug:
        request.session[LAST_WORKSPACE] = slug
    return None


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back again; htmx is told to move the whole page, not to paste the form into it."""
    where = request.get_full_path()
    if request.headers.get("HX-Request"):
        # back to the page that the person sees, not to a fragment of it
        shown = urlsplit(request.headers.get("HX-Current-URL", ""))
        where = f"{shown.path}?{shown.query}" if shown.query else shown.path or "/"
    elif request.method not in {"GET", "HEAD"}:
        where = "/"
    target = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({REDIRECT_FIELD_NAME: where})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


def seen_baskets(request: HttpRequest, membership: Membership) -> list[Basket]:
    """The baskets that this person sees, in their order; read once a request."""
    if not hasattr(request, "desk_baskets"):
        request.desk_baskets = list(visible_baskets(membership))  # type: ignore[attr-defined]
    found: list[Basket] = request.desk_baskets  # type: ignore[attr-defined]
    return found


def find(rows: models.QuerySet[M], pk: int | None = None, **where: Any) -> M:
    """The one row among `rows` (already narrowed to the workspace), by id or by `where`. Raises `Http404`.

    An id beyond what the database can hold is as missing as any other.
    """
    if pk is not None:
        where["pk"] = pk
    try:
        return rows.get(**where)
    except (ObjectDoesNotExist, OverflowError, ValueError, DataError):
        raise Http404 from None


class PersonalTimeMiddleware:
    """Shows times in the zone, and words in the language, of the person who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """PostgreSQL keeps no NUL, and no browser lets anybody type one: such a request is refused, not our fault."""
        if not isinstance(exception, DataError | ValueError):
            return None
        sent = (value for part in (request.GET, request.POST) for _, values in part.lists() for value in values)
        return errors.bad_request(request, exception) if any("\x00" in str(value) for value in sent) else None

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # without a session nobody is signed in: no look into the database for that
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not isinstance(request.user, User):
            return self.get_response(request)
        language = request.user.language
        if translation.check_for_language(language):
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        try:
            zone = zoneinfo.ZoneInfo(request.user.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            zone = zoneinfo.ZoneInfo("UTC")
        with timezone.override(zone):
            return self.get_response(request)
