"""Connecting a mailbox: a form, and a try of both servers before it is accepted. What an admin may choose later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rapport.core.errors import AddressRefused, GiveUp, InvalidInput, Reauthorise
from rapport.networks.base import Account, Connected, Field, Identity, Step
from rapport.networks.every import EVERY, check_every, every_field
from rapport.networks.http import GuardedSession
from rapport.networks.mail.account import INBOX, address_of, folders_of, open_imap, setting
from rapport.networks.mail.headers import clean_address, visible
from rapport.networks.mail.imap import Imap
from rapport.networks.mail.pull import REST
from rapport.networks.mail.smtp import Smtp
from rapport.networks.mail.wire import SECURITIES, Server

_CHOICES = (
    ("tls", "TLS (usual)"),
    ("starttls", "STARTTLS"),
    ("plain", "none (only for an allowed server on your own network)"),
)
FIELDS = (
    Field(name="address", label="Address", help="The address that mails come to: support@example.com."),
    Field(
        name="name", label="Name", required=False, help="What people see beside the address, such as Fernway Support."
    ),
    Field(
        name="imap_host",
        label="IMAP server",
        required=False,
        help="Where mails are read. Leave it empty for Gmail, Fastmail, iCloud, Yahoo, GMX and WEB.DE addresses.",
    ),
    Field(name="imap_port", label="IMAP port", required=False, default="993", help="993 for TLS, 143 for STARTTLS."),
    Field(name="imap_security", label="IMAP security", kind="choice", required=False, default="tls", choices=_CHOICES),
    Field(
        name="smtp_host",
        label="SMTP server",
        required=False,
        help="Where replies are handed over. Leave it empty as above.",
    ),
    Field(name="smtp_port", label="SMTP port", required=False, default="465", help="465 for TLS, 587 for STARTTLS."),
    Field(name="smtp_security", label="SMTP security", kind="choice", required=False, default="tls", choices=_CHOICES),
    Field(name="user", label="User name", required=False, help="Leave it empty where it is the address."),
    Field(
        name="password",
        label="Password",
        kind="secret",
        help="An app password where the provider offers them: it can be withdrawn alone. It is stored encrypted.",
    ),
)
GUIDE = (
    Step("Use a mailbox of the team (support@...), not the private one of a colleague: the whole desk reads along."),
    Step(
        "Gmail and Google Workspace: turn on 2-step verification, then create an app password and use it here.",
        url="https://myaccount.google.com/apppasswords",
    ),
    Step(
        "iCloud: create an app-specific password under Sign-In and Security.",
        url="https://account.apple.com/account/manage",
    ),
    Step(
        "Fastmail: create an app password with access to mail (IMAP and SMTP).",
        url="https://app.fastmail.com/settings/security/apps",
    ),
    Step(
        "Yahoo: generate an app password under Account security.",
        url="https://login.yahoo.com/account/security",
    ),
    Step("GMX and WEB.DE: first allow IMAP under Settings, POP3 and IMAP; with 2-factor sign-in use an app password."),
    Step(
        "Outlook.com and Microsoft 365 take no passwords from other programs any more, only a sign-in in the browser "
        "(OAuth2). Rapport cannot do that yet: forward such a mailbox to one that it can read."
    ),
    Step("Every other provider: its help page names the IMAP and the SMTP server with port and security."),
)
SETTINGS = (
    Field(
        name="folders",
        label="Folders to read",
        kind="lines",
        required=False,
        default=INBOX,
        help="One a line, as your mail program writes them, subfolders with their sign. The first one is live.",
    ),
    Field(
        name="sent_folder",
        label="Folder of sent mail",
        required=False,
        help="Replies are kept there, and what colleagues answer in their mail program is read from it.",
    ),
    Field(name="name", label="Name", required=False, help="What people see beside the address."),
    every_field(REST, "Each read signs in once for each folder. The first folder is live all the same."),
    Field(
        name="aliases",
        label="Other addresses that are ours",
        kind="lines",
        required=False,
        help="One a line. A mail that claims to be from one of them is not taken for a customer's.",
    ),
    Field(
        name="authority",
        label="Name of your server in Authentication-Results",
        required=False,
        help="Such as mx.google.com. With it, mails whose sender your server disproved (DMARC) are marked. "
        "Look into the source of a mail that you got: it is the first word of that line.",
    ),
)
_DOMAIN_HOSTS = {
    "gmail.com": ("imap.gmail.com", "smtp.gmail.com"),
    "googlemail.com": ("imap.gmail.com", "smtp.gmail.com"),
    "fastmail.com": ("imap.fastmail.com", "smtp.fastmail.com"),
    "icloud.com": ("imap.mail.me.com", "smtp.mail.me.com"),
    "me.com": ("imap.mail.me.com", "smtp.mail.me.com"),
    "yahoo.com": ("imap.mail.yahoo.com", "smtp.mail.yahoo.com"),
    "gmx.net": ("imap.gmx.net", "mail.gmx.net"),
    "gmx.de": ("imap.gmx.net", "mail.gmx.net"),
    "web.de": ("imap.web.de", "smtp.web.de"),
}
#: these offer STARTTLS alone
_SMTP_STARTTLS = {"smtp.mail.me.com", "smtp.web.de", "mail.gmx.net"}
_SENT_NAMES = (
    "sent",
    "sent items",
    "sent mail",
    "sent messages",
    "gesendet",
    "gesendete objekte",
    "envoyés",
    "enviados",
)
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.?")
_MOST_FOLDERS = 20


def connect(fields: Mapping[str, str], session: GuardedSession) -> Connected:
    """See `Network.connect`. Both servers are spoken to and signed in at; nothing is sent."""
    address = clean_address(fields.get("address", ""))
    if address is None:
        raise InvalidInput(f"Address: {fields.get('address', '').strip()[:100]!r} is no mail address")
    password = fields.get("password", "")
    if not password:
        raise InvalidInput("Password: it is missing")
    user = fields.get("user", "").strip() or address
    known = _DOMAIN_HOSTS.get(address.rpartition("@")[2], ("", ""))
    reading = _read_server(fields, "imap", known[0], session)
    sending = _read_server(fields, "smtp", known[1], session)
    with _explained(f"IMAP server {reading}", address), Imap(reading, user, password, session) as imap:
        imap.open(INBOX)
        sent = sent_folder(imap)
    with _explained(f"SMTP server {sending}", address), Smtp(sending, user, password, session):
        pass
    scheme = "imaps" if reading.security == "tls" else "imap"
    settings: dict[str, str | int | bool | list[str]] = {
        "imap_security": reading.security,
        "smtp_host": sending.host,
        "smtp_port": str(sending.port),
        "smtp_security": sending.security,
        "user": user,
        "name": visible(fields.get("name", ""))[:100],
        "folders": [INBOX],
        "sent_folder": sent,
    }
    identity = Identity(handle=address, account_id=address, name=str(settings["name"]) or address)
    return Connected(f"{scheme}://{reading.host}:{reading.port}", identity, password, settings)


def sent_folder(imap: Imap) -> str:
    """The folder of sent mail: the one that the server marks so, else one with a usual name, else ""."""
    folders = imap.folders()
    marked = [name for name, flags in folders if r"\sent" in flags]
    usual = [name for name, _ in folders if re.split(r"[./]", name)[-1].lower() in _SENT_NAMES]
    return next(iter(marked + usual), "")


def check_settings(
    settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
) -> dict[str, str | int | bool | list[str]]:
    """See `Network.check_settings`. Opens every folder that is named."""
    folders = _lines(settings.get("folders")) or [INBOX]
    if len(folders) > _MOST_FOLDERS:
        raise InvalidInput(f"Folders to read: at most {_MOST_FOLDERS}")
    aliases = []
    for line in _lines(settings.get("aliases")):
        alias = clean_address(line)
        if alias is None:
            raise InvalidInput(f"Other addresses that are ours: {line[:100]!r} is no mail address")
        aliases.append(alias)
    sent = str(settings.get("sent_folder") or "").strip()
    authority = str(settings.get("authority") or "").strip().lower()
    if authority and not _HOST.fullmatch(authority):
        raise InvalidInput(
            f"Name of your server: {authority[:100]!r} is no name of a server; write one such as mx.google.com"
        )
    with open_imap(account, session) as imap:
        for folder in [*folders, *([sent] if sent else [])]:
            _try_folder(imap, folder)
    return (
        account.settings
        | check_every({EVERY: str(settings.get(EVERY) or "")})
        | {
            "folders": list(folders),
            "aliases": aliases,
            "sent_folder": sent,
            "authority": authority,
            "name": visible(str(settings.get("name") or ""))[:100],
        }
    )


def identify(account: Account, session: GuardedSession) -> Identity:
    """See `Network.verify`: signs in and opens the first folder."""
    with open_imap(account, session) as imap:
        imap.open(folders_of(account)[0])
    address = address_of(account)
    return Identity(handle=address, account_id=address, name=setting(account, "name") or address)


def _try_folder(imap: Imap, folder: str) -> None:
    try:
        imap.open(folder)
    except GiveUp:
        names = ", ".join(name for name, _ in imap.folders()[:30])
        raise InvalidInput(f"There is no folder {folder[:100]!r}. The server has: {names}") from None


def _lines(value: str | bool | list[str] | None) -> list[str]:
    lines = value if isinstance(value, list) else str(value or "").splitlines()
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def _read_server(fields: Mapping[str, str], which: str, known: str, session: GuardedSession) -> Server:
    """One of the two servers of the form. Raises `InvalidInput` with the field and the remedy."""
    label = which.upper()
    typed = fields.get(f"{which}_host", "").strip().lower()
    host = typed or known
    if not host:
        raise InvalidInput(f"{label} server: write its name; the help page of your mail provider says it")
    if not _HOST.fullmatch(host) or len(host) > 253:
        raise InvalidInput(f"{label} server: {host[:100]!r} is no name of a server; write it without https:// and port")
    usual = (
        ("587", "starttls") if not typed and host in _SMTP_STARTTLS else ("993" if which == "imap" else "465", "tls")
    )
    port = fields.get(f"{which}_port", "").strip() or usual[0]
    security = fields.get(f"{which}_security", "").strip() or usual[1]
    if not typed and host in _SMTP_STARTTLS:
        port, security = usual  # what the form suggests is for other providers
    if not port.isdigit() or not 0 < int(port) < 65_536:
        raise InvalidInput(f"{label} port: {port[:20]!r} is no port; usual are 993, 143, 465 and 587")
    if security not in SECURITIES:
        raise InvalidInput(f"{label} security: choose TLS or STARTTLS")
    if security == "plain" and not session.is_allowed(f"http://{host}:{port}"):
        raise InvalidInput(
            f"{label} security: a password must not travel in the clear. Choose TLS or STARTTLS; a server on your own "
            f"network without them must be named ({host}:{port}) in the setting for allowed private servers"
        )
    return Server(host, int(port), security)


@contextmanager
def _explained(what: str, address: str) -> Iterator[None]:
    """What a server said, with what to do about it. `RetryLater` stays as it is."""
    try:
        yield
    except Reauthorise as error:
        hint = "Many providers want an app password here, not the one that you sign in with on their website"
        raise InvalidInput(f"{what}: {error}. {hint}") from error
    except (GiveUp, AddressRefused) as error:
        raise InvalidInput(f"{what} for {address}: {error}") from error
