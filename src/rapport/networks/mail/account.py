"""What a channel of this network keeps, and the two connections that follow from it.

`Account.server` is the origin of the IMAP server ("imaps://imap.example.com:993"), `Account.token` the password;
the rest lies in the settings, as `form` put it there.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from rapport.core.errors import GiveUp
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.mail.headers import clean_address
from rapport.networks.mail.imap import Imap
from rapport.networks.mail.parse import Mailbox
from rapport.networks.mail.smtp import Smtp
from rapport.networks.mail.wire import SECURITIES, Server

INBOX = "INBOX"
#: the streams: one for each folder that is read, one for the folder of sent mail
FOLDER = "folder:"
SENT = "sent"


def setting(account: Account, name: str) -> str:
    """A setting that is a text, "" where there is none."""
    value = account.settings.get(name)
    return value.strip() if isinstance(value, str) else ""


def address_of(account: Account) -> str:
    """Our address, in lower case."""
    return clean_address(account.handle) or account.handle.lower()


def folders_of(account: Account) -> tuple[str, ...]:
    """The folders that are read; INBOX where nothing was chosen."""
    chosen = account.settings.get("folders")
    names = [str(name).strip() for name in chosen] if isinstance(chosen, list) else []
    return tuple(dict.fromkeys(name for name in names if name)) or (INBOX,)


def mailbox_of(account: Account, is_sent: bool) -> Mailbox:
    """What the parser must know of our side."""
    more = account.settings.get("aliases")
    aliases = [clean_address(str(alias)) for alias in more] if isinstance(more, list) else []
    return Mailbox(
        ours=frozenset({address_of(account), *(alias for alias in aliases if alias)}),
        is_sent=is_sent,
        authority=setting(account, "authority"),
    )


def imap_server(account: Account) -> Server:
    """Where the mailbox is. Raises `GiveUp` for settings that name no server."""
    parts = urlsplit(account.server)
    try:
        host, port = parts.hostname or "", parts.port or 993
    except ValueError:
        host, port = "", 0
    return _server(host, port, setting(account, "imap_security"))


def smtp_server(account: Account) -> Server:
    """Where mail is handed over. Raises `GiveUp` for settings that name no server."""
    port = setting(account, "smtp_port")
    return _server(
        setting(account, "smtp_host"), int(port) if port.isdigit() else 465, setting(account, "smtp_security")
    )


def _server(host: str, port: int, security: str) -> Server:
    if not host:
        raise GiveUp("the settings of this mailbox name no server: connect it again")
    return Server(host, port, security if security in SECURITIES else "tls")


def open_imap(account: Account, session: GuardedSession) -> Imap:
    """A signed-in connection to the mailbox."""
    return Imap(imap_server(account), setting(account, "user") or account.handle, account.token, session)


def open_smtp(account: Account, session: GuardedSession) -> Smtp:
    """A signed-in connection for sending."""
    return Smtp(smtp_server(account), setting(account, "user") or account.handle, account.token, session)
