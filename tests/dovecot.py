"""A real mail server for the tests: Dovecot for IMAP and LMTP, aiosmtpd for submission, on loopback.

with mail_server() as server:
    server.deliver(b"From: ann@customer.example...", to="support@fernway.example")

Every address is a mailbox with the password `PASSWORD`. What is submitted is delivered into the mailboxes of its
recipients, so that a test can look at it as they would.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import imaplib
import itertools
import os
import pwd
import shutil
import smtplib
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rapport.networks.base import Account
from servers import free_port, stop, wait_for_port

PASSWORD = 'an-app"password'  # the quote must survive the strings of both protocols
BINARY = next((path for path in ("/usr/sbin/dovecot", shutil.which("dovecot") or "") if Path(path).is_file()), "")
MISSING = (
    "Dovecot is not here, or this is not root, without whom it cannot change users: "
    "run `sh tests/install-deps.sh` (Debian: apt-get install dovecot-imapd dovecot-lmtpd)"
)
_numbers = itertools.count(1)


def can_run() -> bool:
    return bool(BINARY) and os.geteuid() == 0


@dataclass
class MailServer:
    """A running server. `faults` maps a verb of SMTP ("MAIL", "RCPT", "DATA", "AUTH") to the answer it gets."""

    imap: int
    imaps: int
    lmtp: int
    smtp: int
    smtps: int
    pid: int
    cafile: str
    faults: dict[str, str] = field(default_factory=dict)
    #: called with each submitted mail after it was delivered; may sever the connection
    after_data: Callable[[Any], None] | None = None
    #: (sender, recipients, content) of everything that was submitted
    submitted: list[tuple[str, list[str], bytes]] = field(default_factory=list)

    @property
    def allowed(self) -> set[str]:
        ports = (self.imap, self.imaps, self.smtp, self.smtps)
        return {f"{host}:{port}" for host in ("127.0.0.1", "localhost") for port in ports}

    def account(self, address: str = "", security: str = "plain", **settings: Any) -> Account:
        """A mailbox of its own, connected as the form would."""
        address = address or f"support{next(_numbers)}@fernway.example"
        host = "127.0.0.1" if security == "plain" else "localhost"
        secure = security == "tls"
        return Account(
            channel=1,
            server=f"{'imaps' if secure else 'imap'}://{host}:{self.imaps if secure else self.imap}",
            handle=address,
            account_id=address,
            token=PASSWORD,
            settings={
                "imap_security": security,
                "smtp_host": host,
                "smtp_port": str(self.smtps if secure else self.smtp),
                "smtp_security": security,
                "user": address,
                "name": "Fernway Support",
                "folders": ["INBOX"],
                "sent_folder": "Sent",
                "every": "0",
                **settings,
            },
        )

    def deliver(self, raw: bytes, to: str, sender: str = "ann@customer.example") -> None:
        """Into the inbox of `to`, as another mail server would."""
        with smtplib.LMTP("127.0.0.1", self.lmtp) as lmtp:
            lmtp.sendmail(sender, [to], raw)

    def say(self, text: str, to: str, sender: str = "Ann Example <ann@customer.example>", **headers: str) -> str:
        """A plain mail; gives its Message-ID without brackets."""
        message = EmailMessage()
        identifier = f"said-{next(_numbers)}-{os.getpid()}@customer.example"
        fields = {"From": sender, "To": to, "Subject": "A question", "Message-ID": f"<{identifier}>"}
        fields["Date"] = dt.datetime.now(dt.UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
        for name, value in (fields | {name.replace("_", "-"): value for name, value in headers.items()}).items():
            message[name] = value
        message.set_content(text)
        self.deliver(message.as_bytes(), to)
        return identifier

    @contextlib.contextmanager
    def client(self, address: str) -> Iterator[imaplib.IMAP4]:
        """Somebody's mail program."""
        with imaplib.IMAP4("127.0.0.1", self.imap) as client:
            client.authenticate("PLAIN", lambda _: f"\0{address}\0{PASSWORD}".encode())
            yield client

    def mails(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """Everything in a folder."""
        with self.client(address) as client:
            answer, count = client.select(folder, readonly=True)
            if answer != "OK" or count == [b"0"]:
                return []
            _, items = client.fetch("1:*", "(BODY.PEEK[])")
            return [item[1] for item in items if isinstance(item, tuple)]


@contextlib.contextmanager
def mail_server() -> Iterator[MailServer]:
    """A fresh server with no mail in it."""
    folder = Path(tempfile.mkdtemp(prefix="rapport-mail-"))
    folder.chmod(0o755)
    ports = [free_port() for _ in range(5)]
    cafile = _certificate(folder)
    config = folder / "dovecot.conf"
    config.write_text(_config(folder, *ports[:3]))
    process = subprocess.Popen([BINARY, "-F", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for port in ports[:3]:
            wait_for_port(port, process, folder / "log")
        server = MailServer(*ports, pid=process.pid, cafile=cafile)
        with _submission(server, folder):
            yield server
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)


class _Relay:
    """What is submitted goes on to LMTP, or meets the fault that the test asked for."""

    def __init__(self, server: MailServer) -> None:
        self.server = server

    async def handle_MAIL(self, smtp: SMTP, who: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        del smtp
        fault = self.server.faults.get("MAIL", "" if who.authenticated else "530 5.7.0 Authentication required")
        if fault:
            return fault
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, smtp: SMTP, _s: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        del smtp, options
        fault = self.server.faults.get("RCPT")
        if fault:
            return fault
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, smtp: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        fault = self.server.faults.get("DATA")
        if fault:
            return fault
        content = bytes(envelope.content or b"")
        sender, recipients = str(envelope.mail_from), [str(address) for address in envelope.rcpt_tos]
        self.server.submitted.append((sender, recipients, content))
        with smtplib.LMTP("127.0.0.1", self.server.lmtp) as lmtp:
            lmtp.sendmail(sender, recipients, content)
        if self.server.after_data is not None:
            self.server.after_data(smtp)
        return "250 OK"

    def sign_in(self, *args: Any) -> AuthResult:
        told = args[-1]
        fault = self.server.faults.get("AUTH")
        if fault:
            return AuthResult(success=False, handled=False, message=fault)
        good = isinstance(told, LoginPassword) and told.password == PASSWORD.encode()
        return AuthResult(success=good, handled=False)


@contextlib.contextmanager
def _submission(server: MailServer, folder: Path) -> Iterator[None]:
    relay = _Relay(server)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    told: Mapping[str, Any] = {
        "authenticator": relay.sign_in,
        "auth_require_tls": False,
        "enable_SMTPUTF8": True,
        "hostname": "127.0.0.1",
    }
    plain = Controller(relay, **told, port=server.smtp, tls_context=tls)
    secure = Controller(relay, **told, port=server.smtps, ssl_context=tls)
    plain.start()
    secure.start()
    try:
        yield
    finally:
        plain.stop()
        secure.stop()


def _certificate(folder: Path) -> str:
    """A certificate for localhost that signs itself; the path of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(folder / "cert.pem")


def _config(folder: Path, imap: int, imaps: int, lmtp: int) -> str:
    """Mailboxes for everybody under `folder`, owned by nobody: Dovecot gives none to root."""
    nobody = pwd.getpwnam("nobody")
    mail = folder / "mail"
    mail.mkdir()
    os.chown(mail, nobody.pw_uid, nobody.pw_gid)
    return f"""
protocols = imap lmtp
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
mail_fsync = never
mail_location = maildir:~/Maildir
mail_uid = {nobody.pw_uid}
mail_gid = {nobody.pw_gid}
first_valid_uid = {nobody.pw_uid}
first_valid_gid = {nobody.pw_gid}
postmaster_address = postmaster@fernway.example
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={nobody.pw_uid} gid={nobody.pw_gid} home={mail}/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Archive {{
    auto = create
    special_use = \\Archive
  }}
}}
service anvil {{
  # the tests fail to sign in on purpose, and must not wait for it
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap {{
  service_count = 100
}}
service imap-login {{
  service_count = 0
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  service_count = 0
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
"""
