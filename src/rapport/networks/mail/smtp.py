"""One mail out over SMTP submission (RFC 5321, 6409), with errors by what is known of its effect.

Until the server has been given the end of the mail nothing can have taken effect; after that, only its answer says.
"""

from __future__ import annotations

import base64
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.http import GuardedSession
from rapport.networks.mail.wire import Server, Wire

#: seconds for the answer to the whole mail: servers look for viruses before they give it
LAST_ANSWER = 40.0
#: names us to the server without telling what our machine is called, as mail programs do (RFC 5321, 4.1.3)
_OURSELVES = "[127.0.0.1]"


class _Client(smtplib.SMTP):
    """smtplib over a `Wire`."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        super().__init__(local_hostname=_OURSELVES)
        self.connected = self.connect(wire.server.host, wire.server.port)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        del host, port, timeout
        return self.wire

    def putcmd(self, cmd: str, args: str = "") -> None:
        self.wire.restart()
        super().putcmd(cmd, args)

    def secure(self) -> None:
        """STARTTLS; what the server said before it is forgotten."""
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("starttls"):
            raise GiveUp(f"{self.wire.server} does not offer STARTTLS: choose TLS on its own port instead")
        code, answer = self.docmd("STARTTLS")
        if code != 220:
            raise smtplib.SMTPResponseException(code, answer)
        self.wire.secure()
        self.file = None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False


class Smtp:
    """One signed-in connection. Use as a context manager."""

    def __init__(self, server: Server, user: str, password: str, session: GuardedSession) -> None:
        self.server = server
        with _typed(server):
            wire = Wire(server, session)
            try:
                self._client = _Client(wire)
                if self._client.connected[0] != 220:
                    raise smtplib.SMTPResponseException(*self._client.connected)
                if server.security == "starttls":
                    self._client.secure()
                self._client.ehlo_or_helo_if_needed()
                self._sign_in(user, password)
            except BaseException:
                wire.close()
                raise

    def __enter__(self) -> Smtp:
        return self

    def __exit__(self, *_: object) -> None:
        wire = self._client.wire
        wire.seconds = min(wire.seconds, 2.0)
        with suppress(smtplib.SMTPException, OSError, ValueError):
            self._client.quit()
        wire.close()

    @property
    def most_bytes(self) -> int | None:
        """The largest mail that the server takes, None where it does not say."""
        told = self._client.esmtp_features.get("size", "")
        return int(told) if told.isdigit() and int(told) else None

    def send(self, sender: str, recipients: Sequence[str], raw: bytes) -> None:
        """Hand one mail over. `raw` ends its lines with CRLF.

        Returns when the server took the responsibility for it. Raises `RetryLater` and `GiveUp` when it certainly did
        not, `Unconfirmed` when the connection broke after the mail had begun to leave.
        """
        needs_utf8 = not (sender + "".join(recipients)).isascii()
        if needs_utf8 and not self._client.has_extn("smtputf8"):
            raise GiveUp(f"{self.server} cannot send to an address with letters outside ASCII")
        options = ["SMTPUTF8", "BODY=8BITMIME"] if needs_utf8 else []
        self._client.command_encoding = "utf-8" if needs_utf8 else "ascii"
        with _typed(self.server):
            self._expect(self._client.mail(sender, options), {250})
            for recipient in recipients:
                self._expect(self._client.rcpt(recipient), {250, 251})
            self._expect(self._client.docmd("DATA"), {354})
        wire = self._client.wire
        wire.restart(LAST_ANSWER)
        try:
            wire.sendall(_stuffed(raw))
            answer = self._client.getreply()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Unconfirmed(
                f"{self.server} was given the mail and did not say whether it took it: {error}"
            ) from error
        with _typed(self.server):
            self._expect(answer, {250})

    def _expect(self, answer: tuple[int, bytes], wanted: set[int]) -> None:
        if answer[0] not in wanted:
            raise smtplib.SMTPResponseException(answer[0], answer[1])

    def _sign_in(self, user: str, password: str) -> None:
        if not self._client.has_extn("auth"):
            if self.server.security == "plain":
                return  # a relay inside our own network that asks nobody who they are
            raise GiveUp(f"{self.server} offers no way to sign in: is it the server for sending mail?")
        try:
            if not (user + password).isascii():
                self._expect(self._client.docmd("AUTH", f"PLAIN {_plain(user, password)}"), {235})
            else:
                self._client.login(user, password)
        except smtplib.SMTPNotSupportedError as error:
            raise GiveUp(f"{self.server} offers no way to sign in with a password: {error}") from error


@contextmanager
def _typed(server: Server) -> Iterator[None]:
    """What goes wrong before the mail left, and what the server answers, by what to do next."""
    try:
        yield
    except NetworkError:
        raise
    except smtplib.SMTPResponseException as error:
        raise _refusal(server, error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise RetryLater(f"{server} did not answer as it should: {error}") from error


def _refusal(server: Server, code: int, said: bytes | str) -> NetworkError:
    """An answer in the 400s: later. 530, 534, 535, 538: the password. Other 500s: never, in the server's own words."""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    told = f"{server} answers {code}: {' '.join(words.split())[:300]}"
    if code in {530, 534, 535, 538}:
        return Reauthorise(told)
    if 500 <= code < 600:
        return GiveUp(told)
    return RetryLater(told)


def _stuffed(raw: bytes) -> bytes:
    """The mail with its dots doubled and the line that ends it (RFC 5321, 4.5.2)."""
    body = raw.replace(b"\r\n.", b"\r\n..")
    if body.startswith(b"."):
        body = b"." + body
    return body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _plain(user: str, password: str) -> str:
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode("ascii")
