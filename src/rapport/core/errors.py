"""Errors, typed by what the caller does next.

RapportError
├── InvalidInput        refuse: the text names the place and the remedy
│   ├── InvalidPost         a post that cannot be taken in
│   ├── InvalidQuery        a standing query that cannot be compiled (position, expected)
│   ├── InvalidRule         a rule that cannot be compiled (line, column, suggestion)
│   └── InvalidWeights      weights of the score that cannot be used (field)
└── NetworkError        something between us and a network
    ├── RetryLater          try again, not before `after` seconds
    ├── GiveUp              the network said no for good; a person decides
    ├── Reauthorise         the token is dead; hold the queue and ask for a new one
    ├── Unconfirmed         the request went out and nobody knows whether it took effect
    └── AddressRefused      the address is one that we never call
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rapport.core.reply import Verdict


class RapportError(Exception):
    """Base of everything that Rapport raises on purpose."""


class InvalidInput(RapportError):
    """Something a person or another program gave us cannot be accepted."""


class InvalidPost(InvalidInput):
    """A post cannot be taken in; the message says which field and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class InvalidQuery(InvalidInput):
    """A standing query cannot be compiled.

    `position` is a character offset into the query (0-based).
    """

    def __init__(self, message: str, position: int, expected: str = "") -> None:
        hint = f"; expected {expected}" if expected else ""
        super().__init__(f"at character {position + 1}: {message}{hint}")
        self.message = message
        self.position = position
        self.expected = expected


class InvalidRule(InvalidInput):
    """A rule set cannot be compiled. `line` and `column` count from 1 in the rule document."""

    def __init__(self, message: str, line: int, column: int, suggestion: str = "") -> None:
        hint = f"; did you mean {suggestion}?" if suggestion else ""
        super().__init__(f"line {line}, column {column}: {message}{hint}")
        self.message = message
        self.line = line
        self.column = column
        self.suggestion = suggestion


class InvalidWeights(InvalidInput, ValueError):
    """Weights of the score cannot be used. `field` is the one to mend, "" for their sum."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


class NotAllowed(RapportError):
    """The person who asks may not do this; the message says who may."""


class Stale(RapportError):
    """The world moved on since the person looked: what is new must be seen before this goes on."""


class GuardRefused(RapportError):
    """The guard does not let a reply out; `verdict` says why and what to do."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__("; ".join(finding.reason for finding in verdict.findings))
        self.verdict = verdict


class NetworkError(RapportError):
    """Base of what can go wrong between us and a network."""


class RetryLater(NetworkError):
    """The network asks us to wait, or could not be reached before the request took effect.

    `after` is in seconds; None when the network named no time.
    """

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class GiveUp(NetworkError):
    """The network refused for good: trying again unchanged cannot help."""


class Reauthorise(NetworkError):
    """The account must be connected again: its token is revoked, expired or lacks a right."""


class AccessEnded(Reauthorise):
    """The network said clearly that it has ended our access: it refuses a token before its time, or suspended us."""


class Unconfirmed(NetworkError):
    """A request went out and no answer came: it may have taken effect. Never resend blindly."""


class AddressRefused(NetworkError):
    """The address leads to a place that we never call (private, metadata, multicast, ...)."""
