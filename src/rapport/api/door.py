"""The one door for programs: which token, which right, how fast, and what may stand in the address.

No cookie counts here: a browser that is signed in to the desk is a stranger to the interface, so no page of another
site can use it (and there is nothing for CSRF to protect).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from django.core.cache import cache
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from rapport.actions.api import KeyReused, digest_of
from rapport.api.problems import MISSING, Refused, bad
from rapport.core.errors import InvalidInput, NotAllowed, Stale
from rapport.core.roles import Right
from rapport.store.models import ApiToken, Membership
from rapport.wiring import now as read_clock

#: calls a minute and token
PACE = 600
_BEARER = re.compile(r"Bearer +([A-Za-z0-9_-]{16,200}) *", re.IGNORECASE)


class Parameter(NamedTuple):
    """Something that a call says outside its body."""

    name: str
    #: "query", "path" or "header"
    place: str
    description: str
    schema: dict[str, Any]
    required: bool = False


class Call(NamedTuple):
    """A request that passed the door."""

    request: HttpRequest
    token: ApiToken
    #: whoever the token acts as, read for this call
    by: Membership
    #: the parameters of the address, each at most once and none that the endpoint does not know
    query: dict[str, str]
    now: dt.datetime


class Endpoint(NamedTuple):
    """One row of the table in `urls.py`: route, document and authorisation are made from it."""

    name: str
    method: str
    #: as Django writes it: "conversations/<int:pk>"
    path: str
    #: None: for everybody, without a token
    right: Right | None
    #: `view(call, **path)`; a struct becomes the JSON of a 200
    view: Callable[..., msgspec.Struct | HttpResponse]
    summary: str
    #: struct of the answer; None where the answer is the document itself
    answer: type[msgspec.Struct] | None
    #: struct of the body, or a list of it
    body: Any = None
    parameters: tuple[Parameter, ...] = ()
    #: statuses of problems besides those that every call can meet
    refusals: tuple[int, ...] = ()


def serve(*endpoints: Endpoint) -> Callable[..., HttpResponseBase]:
    """The Django view of the endpoints of one address, one for each method. Every refusal becomes a problem here."""

    def answer(request: HttpRequest, **path: Any) -> HttpResponse:
        try:
            return _respond(_choose(endpoints, request), request, path)
        except Refused as refused:
            return refused.answer()
        except NotAllowed as error:
            return Refused(403, str(error)).answer()
        except (Stale, KeyReused) as error:
            return Refused(409, str(error)).answer()
        except InvalidInput as error:
            return Refused(400, str(error)).answer()
        except OperationalError:
            # a lock that was not to be had, or two calls in each other's way: nothing of this one took effect
            detail = "The database is busy. Try again, with the same Idempotency-Key."
            return Refused(503, detail, headers={"Retry-After": "2"}).answer()

    answer.csrf_exempt = True  # type: ignore[attr-defined]
    return answer


def _choose(endpoints: Sequence[Endpoint], request: HttpRequest) -> Endpoint:
    wanted = "GET" if request.method == "HEAD" else request.method
    found = next((endpoint for endpoint in endpoints if endpoint.method == wanted), None)
    if found is None:
        methods = [endpoint.method for endpoint in endpoints]
        allowed = [name for method in methods for name in (("GET", "HEAD") if method == "GET" else (method,))]
        raise Refused(405, f"Use {' or '.join(methods)} here.", headers={"Allow": ", ".join(allowed)})
    return found


def _respond(endpoint: Endpoint, request: HttpRequest, path: dict[str, Any]) -> HttpResponse:
    if endpoint.right is None:
        _read_query(request, endpoint)
        found = endpoint.view()
    else:
        found = endpoint.view(_enter(request, endpoint, endpoint.right), **path)
    if isinstance(found, HttpResponse):
        return found
    return HttpResponse(msgspec.json.encode(found), content_type="application/json")


def _enter(request: HttpRequest, endpoint: Endpoint, right: Right) -> Call:
    now = read_clock()
    token = _find_token(request)
    wait = take_turn(token.digest, now)
    if wait:
        detail = f"More than {PACE} calls in a minute. Go on in {wait} seconds."
        raise Refused(429, detail, headers={"Retry-After": str(wait)})
    ApiToken.objects.note_use(token, now)
    by = token.membership
    if by.may(right) is not True:
        raise Refused(403, f"This needs the right {right!r}, which the role {by.role!r} does not have.")
    return Call(request, token, by, _read_query(request, endpoint), now)


def _find_token(request: HttpRequest) -> ApiToken:
    """The token that the call shows. Unknown, revoked and somebody's who left: the same answer."""
    shown = request.headers.get("Authorization", "")
    if not shown:
        challenge = {"WWW-Authenticate": 'Bearer realm="rapport"'}
        raise Refused(401, "Send a token: Authorization: Bearer TOKEN.", headers=challenge)
    found = _BEARER.fullmatch(shown)
    tokens = ApiToken.objects.usable().select_related("membership__user", "membership__workspace")
    token = tokens.filter(digest=digest_of(found[1])).first() if found else None
    if token is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="rapport", error="invalid_token"'}
        raise Refused(401, "This token opens nothing. Make a new one: rapport token create.", headers=challenge)
    return token


def take_turn(digest: str, now: dt.datetime) -> int:
    """Count one call of a token within the minute; seconds to wait when that was one too many, else 0.

    The count lies in the cache table, which every process sees. Calls side by side may be counted as one: it is a
    brake, no exact measure.
    """
    minute, second = divmod(int(now.timestamp()), 60)
    key = f"api-pace:{digest}:{minute}"
    if cache.add(key, 1, timeout=120):
        return 0
    used = cache.get(key, 0)
    if used >= PACE:
        return 60 - second
    cache.set(key, used + 1, timeout=120)
    return 0


def _read_query(request: HttpRequest, endpoint: Endpoint) -> dict[str, str]:
    known = {parameter.name: parameter for parameter in endpoint.parameters if parameter.place == "query"}
    found: dict[str, str] = {}
    for name, values in request.GET.lists():
        if name not in known:
            offered = f"Known here: {', '.join(known)}." if known else "None is known here."
            raise bad(f"query.{name[:80]}", "is not a parameter of this address", offered)
        if len(values) != 1:
            raise bad(f"query.{name}", "stands twice", "Send it once.")
        found[name] = str(values[0])
    for name, parameter in known.items():
        if parameter.required and not found.get(name):
            raise bad(f"query.{name}", "is missing", parameter.description)
    return found


def missing() -> Refused:
    """404: the same for what is not there and for what this token may not see."""
    return Refused(404, MISSING)
