"""The page of the acknowledgement."""

from __future__ import annotations

from typing import Any

import pytest

from rapport.core.acknowledge import EXAMPLE
from rapport.store.models import AcknowledgementSettings

pytestmark = pytest.mark.django_db
HERE = "/w/fernway/settings/acknowledgement/"
ASKED = {"enabled": "on", "baskets": ["care"], "help_links": "https://help.example/", "text": EXAMPLE}


def test_it_is_off_with_an_honest_beginning(cast: Any, enter: Any) -> None:
    page = enter(cast.ben).get(HERE).content.decode()
    assert "this is an automatic message" in page
    assert not AcknowledgementSettings.objects.exists()


def test_an_admin_turns_it_on_and_the_page_says_on_whose_word(cast: Any, enter: Any) -> None:
    client = enter(cast.ben)
    assert client.post(HERE, {**ASKED, "text_de": "Automatische Antwort: {hours}"}).status_code == 302
    row = AcknowledgementSettings.objects.get()
    assert (row.enabled, row.changed_by, row.baskets, row.by_rules) == (True, cast.ben, ["care"], False)
    assert row.texts == {"": EXAMPLE, "de": "Automatische Antwort: {hours}"}
    assert "on the word of Ben" in client.get(HERE).content.decode()
    client.post(HERE, {**ASKED, "enabled": ""})
    row.refresh_from_db()
    assert not row.enabled


def test_a_text_that_hides_the_machine_is_refused_and_kept_in_the_form(cast: Any, enter: Any) -> None:
    answer = enter(cast.ben).post(HERE, {**ASKED, "text": "Hello, I am Ann"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "must say that it is automatic" in page
    assert "Hello, I am Ann" in page
    assert not AcknowledgementSettings.objects.exists()
