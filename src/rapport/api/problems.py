"""What went wrong, as `application/problem+json` (RFC 9457).

`type` is always about:blank: the status says what a program does next, and `title` is its phrase.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from django.http import HttpRequest, HttpResponse

MEDIA = "application/problem+json"
MISSING = "There is nothing here, or nothing that this token may see."


class Fault(msgspec.Struct, frozen=True):
    """One thing that cannot be accepted."""

    #: where it stands: "query.limit", "header.Idempotency-Key", "body.text"
    place: str
    reason: str
    #: how to mend it
    remedy: str


class Problem(msgspec.Struct, frozen=True):
    """The body of every answer that is no success."""

    #: the phrase of the status
    title: str
    status: int
    #: a sentence about this occurrence
    detail: str
    type: str = "about:blank"
    errors: tuple[Fault, ...] = ()


class Refused(Exception):
    """A call ends here; raised wherever it is noticed, answered at the door."""

    def __init__(self, status: int, detail: str, *errors: Fault, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, errors, headers or {}

    def answer(self) -> HttpResponse:
        """The answer to send."""
        return problem(self.status, self.detail, self.errors, self.headers)


def bad(place: str, reason: str, remedy: str, status: int = 400) -> Refused:
    """A refusal of one part of the call."""
    return Refused(status, f"{place}: {reason}", Fault(place, reason, remedy))


def problem(
    status: int, detail: str, errors: tuple[Fault, ...] = (), headers: dict[str, str] | None = None
) -> HttpResponse:
    """One problem as an answer."""
    body = msgspec.json.encode(Problem(HTTPStatus(status).phrase, status, detail, errors=errors))
    return HttpResponse(body, status=status, content_type=MEDIA, headers=headers or {})


# ---------------------------------------------------------------- what Django itself refuses below /api/


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400 for what no view was asked about, such as a host that is not ours."""
    return problem(400, "The request cannot be read.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 that Django raises by itself."""
    return problem(403, "This is not allowed.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, the same bytes for whatever is missing or not this token's."""
    return problem(404, MISSING)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault, and nothing of the inside is told."""
    return problem(500, "The desk made a mistake. Try again in a moment, with the same Idempotency-Key.")
