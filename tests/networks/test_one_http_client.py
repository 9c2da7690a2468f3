"""There is one outgoing HTTP client. A second one fails here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import rapport

ROOT = Path(rapport.__file__).parent
#: a module or package -> the only place that may import it
ONLY_IN = {
    "requests": "networks/http.py",
    "urllib3": "networks/http.py",
    "httpx": "",
    "aiohttp": "",
    "urllib.request": "",
    "http.client": "",
    "ftplib": "",
    "telnetlib": "",
    "socket": "networks/http.py",
    "mastodon": "networks/mastodon/",
    "feedparser": "networks/feeds/",  # it can fetch; there it is given bytes only
    # these may not open connections themselves either: they are given one of `GuardedSession.dial`
    "imaplib": "networks/mail/",
    "smtplib": "networks/mail/",
    "websockets": "networks/websocket.py",
}
#: who may hold a socket although it is not the client: it listens, and the test below sees that it does not call out
LISTENERS = {"cli/parts.py", "cli/ports.py", "cli/up.py"}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in {
            "import_module",
            "__import__",
        }:
            yield from (
                word.value for word in node.args if isinstance(word, ast.Constant) and isinstance(word.value, str)
            )


def forbidden(place: str, source: str) -> list[str]:
    found = []
    for name in imported(ast.parse(source)):
        for module, home in ONLY_IN.items():
            is_it = name == module or name.startswith(f"{module}.")
            at_home = bool(home) and place.startswith(home)
            listens = module == "socket" and place in LISTENERS
            if is_it and not at_home and not listens:
                found.append(f"{place} imports {name}")
    return found


def test_only_the_guarded_client_opens_connections() -> None:
    files = sorted(ROOT.rglob("*.py"))
    assert len(files) > 20
    assert [line for file in files for line in forbidden(str(file.relative_to(ROOT)), file.read_text())] == []


def test_who_listens_does_not_call_out() -> None:
    for place in LISTENERS & {str(file.relative_to(ROOT)) for file in ROOT.rglob("*.py")}:
        calls = {
            node.attr for node in ast.walk(ast.parse((ROOT / place).read_text())) if isinstance(node, ast.Attribute)
        }
        assert not calls & {"connect", "connect_ex", "create_connection", "sendto"}, place


def test_the_lint_sees_a_second_client_in_every_spelling() -> None:
    for line in (
        "import requests",
        "import requests as r",
        "from requests import get",
        "import requests.sessions",
        "from urllib import request",
        "import urllib.request",
        "from http import client",
        "import http.client as c",
        "import socket",
        "from socket import create_connection",
        "from mastodon import Mastodon",
        "import importlib\nimportlib.import_module('httpx')",
        "def f():\n    import aiohttp",
    ):
        assert forbidden("actions/listening.py", line), line
    assert not forbidden("actions/listening.py", "from urllib.parse import urlsplit\nfrom http import HTTPStatus")
