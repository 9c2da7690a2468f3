"""Keys of one's own: the page, what is refused, and what the desk shows of them."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from rapport.core.keys import SHIPPED
from rapport.web.accounts.own_keys import WORDS

SCRIPTS = Path(__file__).parents[3] / "src" / "rapport" / "web" / "static"


def test_keys_are_saved_shown_and_given_back(cast: Any, enter: Any) -> None:
    client = enter(cast.amir)
    chosen = {**SHIPPED, "resolve": "h", "like": ""}
    assert client.post("/me/keys/", chosen).headers["Location"] == "/me/keys/"
    cast.amir.user.refresh_from_db()
    assert cast.amir.user.keys == {"resolve": "h", "like": ""}
    page = html.unescape(client.get("/w/fernway/", follow=True).content.decode())
    assert 'data-keys="{"h":"e","e":"","l":""}"' in page
    listed = page.partition('<dialog id="keys"')[2]
    assert "<kbd>h</kbd></dt><dd>resolve and go on" in listed
    assert "<span>no key</span> <kbd>b</kbd></dt><dd>like their post" in listed
    assert client.post("/me/keys/", {"reset": "yes"}).status_code == 302
    cast.amir.user.refresh_from_db()
    assert cast.amir.user.keys is None
    assert "data-keys" not in client.get("/w/fernway/", follow=True).content.decode()


def test_what_cannot_be_is_said_beside_both_fields_and_nothing_is_lost(cast: Any, enter: Any) -> None:
    client = enter(cast.amir)
    answer = client.post("/me/keys/", {**SHIPPED, "resolve": "r", "note": "Tab"})
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "r does “write a reply” too" in page
    assert "r does “resolve and go on to the next, or reopen” too" in page
    assert "A key is one letter" in page
    assert 'value="Tab"' in page
    cast.amir.user.refresh_from_db()
    assert cast.amir.user.keys is None
    assert client.post("/me/keys/", {**SHIPPED, "role": "owner"}).status_code == 400


def test_one_key_is_put_back_singly_with_what_else_was_typed(cast: Any, enter: Any) -> None:
    client = enter(cast.amir)
    client.post("/me/keys/", {**SHIPPED, "resolve": "h", "like": ""})
    page = client.get("/me/keys/").content.decode()
    assert re.findall(r'name="reset" value="(\w+)"', page) == ["resolve", "like", "yes"]
    own = {**SHIPPED, "resolve": "h", "like": "", "note": "1"}
    assert client.post("/me/keys/", {**own, "reset": "resolve"}).headers["Location"] == "/me/keys/"
    cast.amir.user.refresh_from_db()
    assert cast.amir.user.keys == {"like": "", "note": "1"}
    assert "e is “resolve and go on to the next, or reopen” again." in client.get("/me/keys/").content.decode()
    assert client.post("/me/keys/", {**own, "reset": "nothing"}).status_code == 400


def test_a_key_that_another_act_took_meanwhile_is_not_put_back(cast: Any, enter: Any) -> None:
    client = enter(cast.amir)
    taken = {**SHIPPED, "resolve": "h", "note": "e"}
    client.post("/me/keys/", taken)
    answer = client.post("/me/keys/", {**taken, "reset": "resolve"})
    assert answer.status_code == 422
    assert "e does “write a note” too" in html.unescape(answer.content.decode())
    cast.amir.user.refresh_from_db()
    assert cast.amir.user.keys == {"resolve": "h", "note": "e"}


def test_every_letter_behind_g_is_listed_with_its_place_and_none_twice(cast: Any, enter: Any) -> None:
    page = enter(cast.alice).get("/me/keys/").content.decode().partition('id="letters"')[2]
    listed = re.findall(r"<kbd>g</kbd> <kbd>(.+?)</kbd></dt><dd>(.+?)</dd>", page)
    assert ("D", "My drafts") in listed
    assert ("N", "Where I was named") in listed
    letters = [letter for letter, _name in listed]
    assert len(letters) == len(set(letters))
    told = enter(cast.alice).get("/w/fernway/settings/").content.decode().partition('<dialog id="keys"')[2]
    assert set(re.findall(r"<kbd>g</kbd> <kbd>(.)</kbd>", told)) - {"1"} <= set(letters)


def test_every_act_has_words_and_every_key_that_a_script_obeys_is_an_act() -> None:
    assert set(WORDS) == set(SHIPPED)
    own = (SCRIPTS / "rapport.js").read_text("utf-8")
    table = own.partition("const KEYS = {")[2].partition("};")[0]
    obeyed = set(re.findall(r'(?:^|[ ,{])(?:"(.)"|(\w)): ', table, re.MULTILINE))
    told = {first or second for first, second in obeyed} | {"g"}
    for script in (SCRIPTS / "desk").glob("*.js"):
        told |= set(re.findall(r'Rapport\.key\("(.)"', script.read_text("utf-8")))
    assert told == set(SHIPPED.values())
