"""Addresses: the desk at the root, the interface for programs under /api/v1/."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from rapport.api import problems
from rapport.web import errors

urlpatterns = [
    path("api/v1/", include("rapport.api.urls")),
    path("", include("rapport.web.urls")),
]

Refusal = Callable[..., HttpResponse]


def by_reader(for_people: Refusal, for_programs: Refusal) -> Refusal:
    """What Django refuses by itself: a page for people, a problem for whatever asks below /api/."""

    def refuse(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
        chosen = for_programs if request.path == "/api" or request.path.startswith("/api/") else for_people
        # Django hands no exception to the one for 500
        return chosen(request) if exception is None else chosen(request, exception)

    return refuse


handler400 = by_reader(errors.bad_request, problems.bad_request)
handler403 = by_reader(errors.forbidden, problems.forbidden)
handler404 = by_reader(errors.not_found, problems.not_found)
# django-allauth looks here for the page of a throttled request
handler429 = "rapport.web.errors.too_many"
handler500 = by_reader(errors.server_error, problems.server_error)
