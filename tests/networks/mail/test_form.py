"""Connecting a mailbox with the form: both servers are tried, and every mistake is named with its remedy."""

from __future__ import annotations

import msgspec
import pytest

from dovecot import PASSWORD, MailServer
from rapport.core.errors import InvalidInput, NetworkError
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.mail import form
from rapport.networks.mail.network import Mail

MAIL = Mail()


def filled(mail: MailServer, security: str = "tls", **fields: str) -> dict[str, str]:
    """The form as a person fills it in for the server of the tests."""
    host = "127.0.0.1" if security == "plain" else "localhost"
    return {
        "address": "Support@Fernway.Example",
        "name": "Fernway",
        "imap_host": host,
        "imap_port": str(mail.imaps if security == "tls" else mail.imap),
        "imap_security": security,
        "smtp_host": host,
        "smtp_port": str(mail.smtps if security == "tls" else mail.smtp),
        "smtp_security": security,
        "user": "",
        "password": PASSWORD,
        **fields,
    }


@pytest.mark.parametrize("security", ["plain", "starttls", "tls"])
def test_a_mailbox_is_tried_and_connected(mail: MailServer, guarded: GuardedSession, security: str) -> None:
    connected = MAIL.connect(filled(mail, security), guarded)
    assert connected.identity.handle == connected.identity.account_id == "support@fernway.example"
    assert connected.identity.name == "Fernway"
    assert connected.settings["sent_folder"] == "Sent"
    assert PASSWORD not in repr(connected)
    account = Account(
        channel=1, server=connected.server, handle=connected.identity.handle, account_id="x",
        token=connected.token, settings=connected.settings,
    )  # fmt: skip
    assert MAIL.verify(account, guarded).handle == "support@fernway.example"
    assert MAIL.streams(account) == ("folder:INBOX", "sent")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"address": "nobody"}, "Address: 'nobody' is no mail address"),
        ({"password": ""}, "Password: it is missing"),
        ({"password": "wrong"}, "app password"),
        ({"imap_host": ""}, "IMAP server: write its name"),
        ({"smtp_host": ""}, "SMTP server: write its name"),
        ({"imap_host": "https://mail.example.com/"}, "without https://"),
        ({"imap_host": "mail.example.com:993"}, "without https://"),
        ({"imap_host": "a b"}, "no name of a server"),
        ({"imap_host": "x\r\nLOGOUT"}, "no name of a server"),
        ({"imap_port": "99999"}, "IMAP port"),
        ({"imap_port": "imap"}, "IMAP port"),
        ({"smtp_security": "none"}, "SMTP security: choose"),
        ({"imap_host": "10.0.0.1", "imap_port": "143", "imap_security": "plain"}, "must not travel in the clear"),
        ({"imap_host": "10.0.0.1", "imap_port": "993"}, "private"),
        ({"imap_host": "169.254.169.254", "imap_port": "993"}, "metadata"),
        ({"imap_host": "2130706433", "imap_port": "993"}, "loopback|resolved|refused"),
    ],
)
def test_every_mistake_is_named_with_its_remedy(
    mail: MailServer, guarded: GuardedSession, fields: dict[str, str], told: str
) -> None:
    with pytest.raises((InvalidInput, NetworkError), match=told) as failure:
        MAIL.connect(filled(mail, **fields), guarded)
    assert PASSWORD not in str(failure.value)


def test_the_two_servers_cannot_be_mixed_up(mail: MailServer, guarded: GuardedSession) -> None:
    swapped = {"imap_port": str(mail.smtp), "imap_security": "plain", "imap_host": "127.0.0.1"}
    with pytest.raises((InvalidInput, NetworkError)):
        MAIL.connect(filled(mail, **swapped), guarded)


def test_usual_providers_need_no_servers(monkeypatch: pytest.MonkeyPatch, guarded: GuardedSession) -> None:
    asked: list[form.Server] = []

    def stop(server: form.Server, *_: object) -> None:
        asked.append(server)
        raise InvalidInput("enough")

    monkeypatch.setattr(form, "Imap", stop)
    for domain in form._DOMAIN_HOSTS:
        with pytest.raises(InvalidInput, match="enough"):
            MAIL.connect({"address": f"brand@{domain}", "password": "x"}, guarded)
    assert {server.security for server in asked} == {"tls"}
    assert asked[0].host == "imap.gmail.com"


def test_the_settings_are_tried_before_they_are_kept(
    mail: MailServer, support: Account, guarded: GuardedSession
) -> None:
    chosen = {
        "folders": ["INBOX", "Archive"],
        "aliases": ["Help@Fernway.Example"],
        "sent_folder": "Sent",
        "name": "F\r\nx",
    }
    kept = MAIL.check_settings(chosen, support, guarded)
    assert kept["folders"] == ["INBOX", "Archive"]
    assert kept["aliases"] == ["help@fernway.example"]
    assert kept["name"] == "F x"
    assert kept["smtp_host"] == support.settings["smtp_host"]
    for wrong, told in (
        ({"folders": ["Nowhere"]}, "There is no folder 'Nowhere'. The server has: .*INBOX"),
        ({"aliases": ["x"]}, "no mail address"),
        ({"authority": "not a name"}, "no name of a server"),
        ({"every": "1"}, "from 15 to 86,400"),
        ({"folders": [str(number) for number in range(30)]}, "at most 20"),
        ({"folders": ["a\r\nb"]}, "."),
    ):
        with pytest.raises((InvalidInput, NetworkError), match=told):
            MAIL.check_settings(wrong, support, guarded)


def test_nothing_of_a_password_stands_in_what_is_shown(support: Account) -> None:
    assert PASSWORD not in repr(msgspec.structs.replace(support))


def test_every_field_has_a_label_and_the_password_is_a_secret() -> None:
    kinds = {field.name: field.kind for field in (*MAIL.connect_fields, *MAIL.settings_fields)}
    assert kinds["password"] == "secret"
    assert all(field.label for field in (*MAIL.connect_fields, *MAIL.settings_fields))
    assert any("OAuth2" in step.text for step in MAIL.guide)
