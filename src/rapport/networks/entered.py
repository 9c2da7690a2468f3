"""What people type into the form that connects an account."""

from __future__ import annotations

from rapport.core.errors import AddressRefused, InvalidInput
from rapport.networks.addresses import check_url
from rapport.networks.http import GuardedSession


def read_origin(entered: str, session: GuardedSession) -> str:
    """The name of a server, or an address of any page there -> its origin, in lower case: "https://forum.example".

    Plain http is taken only for a server that the session was explicitly allowed to call.
    Raises `InvalidInput` for what is no server.
    """
    text = entered.strip().rstrip("/")
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = check_url(text)
        origin = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme != "https" and not session.is_allowed(origin):
            raise InvalidInput("write an address that begins with https://: a password must not travel in the clear")
    except AddressRefused as error:
        raise InvalidInput(f"{entered.strip()[:100]!r} is no server: {error}") from error
    return origin.lower()
