"""Finding the data server of an account from its handle, as atproto.com/specs/handle and /did ask for it.

handle -> DID (asked of Bluesky's public server, else of the handle's own web server) -> DID document (the PLC
directory, or the web server that a did:web names) -> data server. The document must name the handle in turn: else
anybody could claim a handle and be sent its app password.
"""

from __future__ import annotations

from typing import Any

from rapport.core.errors import AddressRefused, GiveUp, InvalidInput, InvalidPost, NetworkError, RetryLater
from rapport.networks.bluesky.syntax import is_did, is_handle
from rapport.networks.entered import read_origin
from rapport.networks.http import GuardedSession
from rapport.networks.payload import read_object

RESOLVER = "https://public.api.bsky.app"
DIRECTORY = "https://plc.directory"


def find_home(
    handle: str, session: GuardedSession, resolver: str = RESOLVER, directory: str = DIRECTORY
) -> tuple[str, str]:
    """A handle or a DID -> the DID and the origin of its data server. Raises `InvalidInput` with the remedy."""
    did = handle if is_did(handle) else _resolve(handle, session, resolver)
    document = _document(did, session, directory)
    if document.get("id") != did:
        raise InvalidInput(f"the entry of {did} in the directory is not its own; nothing was sent")
    names = document.get("alsoKnownAs")
    named = [str(each).lower() for each in names] if isinstance(names, list) else []
    if handle != did and f"at://{handle}" not in named:
        raise InvalidInput(
            f"the account that {handle} leads to does not go by this name itself: write its new handle, or its DID"
        )
    return did, data_server(document, session)


def data_server(document: Any, session: GuardedSession) -> str:
    """The origin of the data server that a DID document names. Raises `InvalidInput` where it names none."""
    services = document.get("service") if isinstance(document, dict) else None
    for service in services if isinstance(services, list) else ():
        if not isinstance(service, dict) or not str(service.get("id") or "").endswith("#atproto_pds"):
            continue
        return read_origin(str(service.get("serviceEndpoint") or ""), session)
    raise InvalidInput("this account has no data server: it may have been deleted")


def _resolve(handle: str, session: GuardedSession, resolver: str) -> str:
    failure: NetworkError | None = None
    for url, parameters in (
        (f"{resolver}/xrpc/com.atproto.identity.resolveHandle", {"handle": handle}),
        (f"https://{handle}/.well-known/atproto-did", {}),
    ):
        try:
            response = session.get(url, params=parameters)
            if response.status_code == 200:
                text = response.text.strip()
                did = str(read_object(text).get("did")) if text.startswith("{") else text
                if is_did(did):
                    return did
            elif response.status_code == 429 or response.status_code >= 500:
                failure = RetryLater(f"{url.split('/')[2]} answered {response.status_code}")
        except (RetryLater, GiveUp) as error:
            failure = error
        except (AddressRefused, InvalidPost):
            continue
    if isinstance(failure, RetryLater):
        raise failure
    raise InvalidInput(
        f"nobody is found under the handle {handle!r}. Check its spelling (name.bsky.social, or a domain of your own), "
        "or write the address of your data server as well."
    )


def _document(did: str, session: GuardedSession, directory: str) -> dict[str, Any]:
    method, name = did.split(":", 2)[1:]
    if method == "plc":
        url = f"{directory}/{did}"
    elif method == "web" and is_handle(name):
        url = f"https://{name}/.well-known/did.json"
    else:
        raise InvalidInput(
            f"accounts of the kind did:{method} cannot be looked up; write the address of your data server"
        )
    response = session.get(url)
    if response.status_code in {404, 410}:
        raise InvalidInput("this account is not in the directory (any more)")
    if response.status_code != 200:
        raise RetryLater(f"{url.split('/')[2]} answered {response.status_code}")
    try:
        return read_object(response.content)
    except InvalidPost:
        raise RetryLater(f"{url.split('/')[2]} gave no readable entry") from None
