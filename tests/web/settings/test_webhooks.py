"""The page of webhooks."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from rapport.store.models import Webhook, WebhookCall

pytestmark = pytest.mark.django_db
HERE = "/w/fernway/settings/webhooks/"


def test_a_webhook_is_added_and_its_secret_shown_this_once(cast: Any, enter: Any) -> None:
    client = enter(cast.ben)
    page = client.post(f"{HERE}new/", {"slug": "crm", "url": "https://crm.example/in"}).content.decode()
    assert "whsec_" in page
    row = Webhook.objects.get()
    assert "whsec_" not in client.get(f"{HERE}{row.pk}/").content.decode()
    assert "webhook:crm" in client.get(f"{HERE}{row.pk}/").content.decode()


def test_what_cannot_be_added_is_said_with_the_remedy(cast: Any, enter: Any) -> None:
    answer = enter(cast.ben).post(f"{HERE}new/", {"slug": "Our CRM", "url": "https://crm.example/in"})
    assert answer.status_code == 422
    assert "small letters" in answer.content.decode()
    assert enter(cast.lea).get(HERE).status_code == 403


def test_it_is_tried_paused_and_taken_up_again(cast: Any, enter: Any, now: dt.datetime) -> None:
    row = Webhook.objects.create(workspace=cast.workspace, slug="crm", url="https://x.example/", created_at=now)
    client = enter(cast.ben)
    client.post(f"{HERE}{row.pk}/act/", {"do": "try"})
    assert WebhookCall.objects.get().webhook == row
    client.post(f"{HERE}{row.pk}/act/", {"do": "pause"})
    assert "Paused" in client.get(f"{HERE}{row.pk}/").content.decode()
    client.post(f"{HERE}{row.pk}/act/", {"do": "resume"})
    row.refresh_from_db()
    assert row.active
    WebhookCall.objects.update(state="failed", cause="Given up after 10 tries")
    page = client.get(f"{HERE}{row.pk}/").content.decode()
    assert "Given up after 10 tries" in page
    client.post(f"{HERE}calls/{WebhookCall.objects.get().pk}/retry/")
    assert WebhookCall.objects.get().state == "queued"
    assert "It is tried again." in client.get(f"{HERE}{row.pk}/").content.decode()
    WebhookCall.objects.update(state="failed")
    Webhook.objects.update(active=False)
    client.post(f"{HERE}calls/{WebhookCall.objects.get().pk}/retry/")
    assert "It waits: this webhook is paused." in client.get(f"{HERE}{row.pk}/").content.decode()
