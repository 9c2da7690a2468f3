"""One typed object for everything that can be set, read from the environment, loud on a bad value.

Every setting `name` is read from `RAPPORT_NAME`, or from the file that `RAPPORT_NAME_FILE` names (for secrets).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec


class SettingsError(SystemExit):
    """A setting cannot be used; the message names it, its value and what is expected."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment can set. The comment above each field is its documentation."""

    #: folder for the database, the keys and everything else that must be backed up
    data: str = "data"
    #: empty = SQLite in the data folder; postgresql://user:password@host:port/name for PostgreSQL
    database_url: str = ""
    #: the address under which people reach the desk, without a path
    base_url: str = "http://127.0.0.1:8000"
    #: additional host names that the desk answers to, separated by commas
    hosts: str = ""
    #: secret for sessions and signatures; made and kept in the data folder when empty
    secret_key: str = ""
    #: keys for tokens at rest (Fernet), newest first, separated by commas; made and kept when empty
    token_keys: str = ""
    #: key that push messages to browsers are signed with (VAPID, base64url), the same on every machine of a deployment;
    #: made and kept when empty
    push_key: str = ""
    #: address and password of the first admin; without them a one-time sign-in link is printed
    admin_email: str = ""
    admin_password: str = ""
    #: language of the first admin, and of what ships with their workspaces: names of baskets, rules, prepared replies
    language: Literal["en", "de"] = "en"
    #: host:port pairs on private networks that may be called (self-hosted servers), separated by commas
    allow_private: str = ""
    #: folders below which a folder may be watched, separated by commas; empty = none
    watch_dirs: str = ""
    #: seconds between two looks at a network
    poll_seconds: float = 20.0
    #: days for which stored posts are looked at again on networks that do not tell of every deletion; 0 = never
    recheck_days: int = 30
    #: seconds that a worker or sender may hold a claim before another takes over
    lease_seconds: float = 60.0
    #: share (0..1) of the posts that matter to us which the transformer reads too: those that the quick readings are
    #: least sure of; 0 = none
    deep_share: float = 0.3
    #: posts in one message of the bus
    batch: int = 500
    #: smtp://user:password@host:port for mail that the desk sends itself; empty = mail is off
    mail_url: str = ""
    #: sender of that mail
    mail_from: str = "rapport@localhost"
    #: where each head of a ledger goes as well: an address of the web, which gets it as JSON, or of mail;
    #: empty = nowhere
    ledger_heads_to: str = ""
    #: how many proxies stand before the desk and set X-Forwarded-For
    trusted_proxies: int = 0
    #: show Django's error pages (development only)
    debug: bool = False

    @property
    def data_dir(self) -> Path:
        """The data folder as an absolute path."""
        return Path(self.data).expanduser().resolve()

    @property
    def secure(self) -> bool:
        """Whether people reach the desk over https."""
        return self.base_url.startswith("https://")

    @property
    def allowed_hosts(self) -> list[str]:
        """Names that a request may ask for."""
        named = [name.strip() for name in self.hosts.split(",") if name.strip()]
        return [urlsplit(self.base_url).hostname or "127.0.0.1", "127.0.0.1", "localhost", "[::1]", *named]


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The environment as `Settings`. Raises `SettingsError` naming every setting that cannot be used."""
    found: dict[str, object] = {}
    for field in msgspec.structs.fields(Settings):
        name = f"RAPPORT_{field.name.upper()}"
        value = environ.get(name)
        if value is None and (path := environ.get(f"{name}_FILE")):
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"{name}_FILE: {path} cannot be read ({error.strerror})") from None
        if value is not None:
            found[field.name] = _as_bool(name, value) if field.type is bool else value
    try:
        settings = msgspec.convert(found, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"settings: {error}") from None
    _check(settings)
    return settings


def _as_bool(name: str, value: str) -> bool:
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise SettingsError(f"{name}: {value!r} is neither true nor false")


def _check_heads_to(settings: Settings) -> None:
    to = settings.ledger_heads_to
    if to and "://" in to and (urlsplit(to).scheme not in {"http", "https"} or not urlsplit(to).hostname):
        raise SettingsError("RAPPORT_LEDGER_HEADS_TO: an address of the web begins with https:// and has a host")
    if to and "://" not in to and not ("@" in to.strip("@") and settings.mail_url):
        raise SettingsError(
            f"RAPPORT_LEDGER_HEADS_TO: {to!r} must be an https:// address, or a mail address with RAPPORT_MAIL_URL set"
        )


def _check(settings: Settings) -> None:
    parts = urlsplit(settings.base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise SettingsError(f"RAPPORT_BASE_URL: {settings.base_url!r} must look like https://desk.example.com")
    if settings.database_url and urlsplit(settings.database_url).scheme not in {"postgresql", "postgres"}:
        raise SettingsError("RAPPORT_DATABASE_URL: must begin with postgresql:// (leave it empty for SQLite)")
    _check_heads_to(settings)
    if wrong := [path for path in settings.watch_dirs.split(",") if path.strip() and not path.strip().startswith("/")]:
        raise SettingsError(f"RAPPORT_WATCH_DIRS: {wrong[0].strip()!r} must be a whole path, beginning with /")
    for name in ("poll_seconds", "lease_seconds", "batch"):
        if getattr(settings, name) <= 0:
            raise SettingsError(f"RAPPORT_{name.upper()}: must be more than 0")
    if settings.recheck_days < 0:
        raise SettingsError("RAPPORT_RECHECK_DAYS: must be 0 (never) or more")
    if not 0 <= settings.deep_share <= 1:
        raise SettingsError("RAPPORT_DEEP_SHARE: must lie between 0 (none) and 1 (all)")
    if settings.batch > 500:
        raise SettingsError("RAPPORT_BATCH: at most 500 posts in one message")
