"""HTML forms as a browser without scripts fills and sends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests


@dataclass
class Form:
    """One form of a page with what stands in it."""

    #: where it is sent
    address: str
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)

    def send(self, session: requests.Session, **changed: str) -> requests.Response:
        """Send it with these fields changed or added; follows redirects, as a browser does."""
        headers = {"Referer": self.address}
        return session.post(self.address, data={**self.fields, **changed}, headers=headers, timeout=30)


def form_of(page: requests.Response, name: str = "", having: str = "") -> Form:
    """The form with this id, or the first that asks for the field `having`."""
    reader = _Reader(page.url)
    reader.feed(page.text)
    for form in reader.forms:
        if (name and form.name == name) or (having and having in form.fields):
            return form
    raise AssertionError(f"{page.url} ({page.status_code}) has no form {name or having!r}")


def link_of(page: requests.Response, name: str) -> str:
    """Where the link with this id leads."""
    reader = _Reader(page.url)
    reader.feed(page.text)
    if name not in reader.links:
        raise AssertionError(f"{page.url} ({page.status_code}) has no link {name!r}: {page.text[:2000]}")
    return reader.links[name]


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._form: Form | None = None
        self._area = ""
        self._choice = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "id" in given:
            self.links[given["id"]] = urljoin(self._url, given.get("href", ""))
        if tag == "form":
            self._form = Form(urljoin(self._url, given.get("action", "")), given.get("id", ""))
            self.forms.append(self._form)
        elif self._form is not None and tag in {"input", "select", "textarea", "option"}:
            self._take(self._form, tag, given, dict(attrs))

    def _take(self, form: Form, tag: str, given: dict[str, str], attrs: dict[str, Any]) -> None:
        name = given.get("name", "")
        if tag == "input" and name:
            if given.get("type") not in {"checkbox", "radio"} or "checked" in attrs:
                form.fields[name] = given.get("value", "on" if given.get("type") == "checkbox" else "")
        elif tag == "select":
            self._choice = name
        elif tag == "option" and self._choice and ("selected" in attrs or self._choice not in form.fields):
            form.fields[self._choice] = given.get("value", "")
        elif tag == "textarea":
            self._area = name
            form.fields[name] = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form.fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._form is not None:
            self._form.fields[self._area] = self._form.fields[self._area].removeprefix("\n")
            self._area = ""
        elif tag == "select":
            self._choice = ""
        elif tag == "form":
            self._form = None
