"""A mail server of the session, a mailbox of its own for each test, and a session that may call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dovecot import MISSING, MailServer, can_run, mail_server
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession, Limits


@pytest.fixture(scope="session")
def running_mail() -> Iterator[MailServer]:
    if not can_run():
        pytest.skip(MISSING)
    with mail_server() as server:
        yield server


@pytest.fixture
def mail(running_mail: MailServer) -> Iterator[MailServer]:
    """The server without the faults of the test before."""
    yield running_mail
    running_mail.faults.clear()
    running_mail.after_data = None


@pytest.fixture
def guarded(mail: MailServer) -> Iterator[GuardedSession]:
    with GuardedSession(allow=mail.allowed, limits=Limits(total=5.0)) as session:
        session.verify = mail.cafile
        yield session


@pytest.fixture
def support(mail: MailServer) -> Account:
    return mail.account()
