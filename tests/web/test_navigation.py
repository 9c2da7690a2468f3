"""The navigation: the daily work first, settings behind one entry, every page by a key of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from rapport.actions.articles import save_allowance
from rapport.actions.offers import make_offer
from rapport.store.models import Conversation, Offer

pytestmark = pytest.mark.django_db

ROOT = "/w/fernway/"
Enter = Callable[[Any], Client]


def split(page: str) -> tuple[str, str]:
    """The navigation, and the list of keys."""
    nav = page.partition('<nav class="nav"')[2].partition("</nav>")[0]
    return nav, page.partition('<dialog id="keys"')[2].partition("</dialog>")[0]


def test_every_key_leads_to_one_place_and_stands_in_the_list_of_keys(cast: Any, enter: Enter) -> None:
    for name in cast.colleagues:
        nav, keys = split(enter(getattr(cast, name)).get(f"{ROOT}settings/").content.decode())
        led: dict[str, set[str]] = {}
        for href, key in re.findall(r'<a [^>]*?href="([^"]+)"[^>]*? data-go="(.)"', nav + keys):
            led.setdefault(key, set()).add(href)
        assert {key: places for key, places in led.items() if len(places) > 1} == {}, name
        told = re.findall(r"<kbd>g</kbd> <kbd>(.)</kbd>", keys.replace("<kbd>1</kbd>…<kbd>9</kbd>", ""))
        assert len(told) == len(set(told)), name
        assert set(led) <= set(told), name


def test_my_drafts_and_where_i_was_named_have_letters(cast: Any, enter: Enter) -> None:
    nav, keys = split(enter(cast.amir).get(f"{ROOT}tasks/").content.decode())
    led = dict(re.findall(r'<a [^>]*?href="([^"]+)"[^>]*? data-go="(.)"', nav + keys))
    assert (led[f"{ROOT}drafts/"], led[f"{ROOT}named/"]) == ("D", "N")


def test_offers_that_wait_for_a_lead_are_counted_for_whoever_may_decide(
    cast: Any, enter: Enter, hear: Any, make_post: Any, now: Any
) -> None:
    def shown(who: Any) -> list[str]:
        counts = enter(who).get(f"{ROOT}counts").content.decode()
        return re.findall(r'href="/w/fernway/offers/".*?Offers to decide</span><span class="count">(\d+)<', counts)

    hear(make_post("My parcel is broken, @fernway!"))
    talk = Conversation.objects.get()
    save_allowance(cast.alice, "lead", "refund", None, "", now=now)
    assert shown(cast.lea) == []
    for what in ("First", "Second"):
        make_offer(cast.amir, talk, "refund", Decimal(5), "EUR", what, ask=True, now=now)
    assert shown(cast.lea) == ["2"]
    assert shown(cast.amir) == []
    lea = enter(cast.lea)
    lea.post(f"{ROOT}offers/{Offer.objects.earliest('pk').pk}/decide/", {"how": "allow"})
    assert shown(cast.lea) == ["1"]
    # whoever asked for it does not decide on it
    Offer.objects.filter(state="asked").update(by=cast.lea)
    assert shown(cast.lea) == []
    assert shown(cast.alice) == ["1"]


def test_settings_are_one_entry_and_open_where_one_is_in_them(cast: Any, enter: Enter) -> None:
    lea = enter(cast.lea)
    nav, keys = split(lea.get(f"{ROOT}tasks/").content.decode())
    assert f'href="{ROOT}settings/"' in nav
    assert f'href="{ROOT}settings/rules/"' in nav
    assert f'href="{ROOT}settings/score/"' not in nav
    assert f'href="{ROOT}settings/score/"' in keys
    inside, _keys = split(lea.get(f"{ROOT}settings/replies/").content.decode())
    assert f'href="{ROOT}settings/score/"' in inside
    assert re.findall(r'<a href="([^"]+)" aria-current="page"', inside) == [f"{ROOT}settings/replies/"]


@pytest.mark.parametrize(
    ("name", "opened", "closed"),
    [
        ("alice", {"rules", "channels", "team", "audit", "absences"}, set()),
        ("lea", {"rules", "baskets", "absences", "audit"}, {"team"}),
        ("amir", {"absences"}, {"rules", "baskets", "channels", "team", "audit"}),
        ("vera", set(), {"absences", "rules", "baskets", "channels", "team"}),
    ],
)
def test_the_page_of_settings_names_what_the_role_opens(
    name: str, opened: set[str], closed: set[str], cast: Any, enter: Enter
) -> None:
    client = enter(getattr(cast, name))
    main = client.get(f"{ROOT}settings/").content.decode().partition("<main")[2].partition("</main>")[0]
    named = set(re.findall(r'href="/w/fernway/settings/(\w+)/"', main))
    assert opened <= named
    assert not closed & named
    for page in named:
        assert client.get(f"{ROOT}settings/{page}/").status_code == 200
    assert 'href="/me/"' in main
    assert 'href="/w/fernway/notices/settings/"' in main


def test_what_is_read_anew_still_knows_the_page(cast: Any, enter: Enter) -> None:
    again = enter(cast.lea).get(f"{ROOT}counts", headers={"HX-Current-URL": f"http://testserver{ROOT}tasks/?tab=team"})
    assert re.findall(r'<a href="([^"]+)" aria-current="page"', again.content.decode()) == [f"{ROOT}tasks/"]
