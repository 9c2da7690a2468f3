"""The cast: Alice owns Fernway's desk, Ben answers there, Charlie works somewhere else."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import msgspec
import pytest

from rapport.core.post import Author, Post

#: a fixed moment; no test depends on the clock of the machine
NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
#: tests of one file that one worker would still be busy with when the others are done
MANY = 100
#: files whose few tests take long together, without one of them being slow
LONG = {"test_access_matrix.py"}

# Property tests try the same inputs every time, so that a run is green or red for what changed and not by luck, and
# no machine is too slow for them. `pytest --hypothesis-profile=search` looks for new inputs; what it finds becomes an
# `@example` or a strategy that makes it.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None, max_examples=1000, print_blob=True)
hypothesis.settings.load_profile("same")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[None]:
    """The tables come from a copy; the `migrate` that the test runner calls once then finds nothing left to do."""
    from django.core import management

    import tables

    migrate = management.call_command

    def migrate_a_copy(name: str, *args: Any, **options: Any) -> Any:
        patch.undo()
        tables.fill_test_database()
        return migrate(name, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(management, "call_command", migrate_a_copy)
        yield


if os.environ.get("RAPPORT_DATABASE_URL"):

    @pytest.fixture(scope="session", autouse=True)
    def end_foreign_sessions(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
        """PostgreSQL drops no database that a thread of an event loop still talks to."""
        yield
        from django.db import connection

        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests and those with very many first, so that at the end no worker waits for another one."""
    first = {item.path for item in items if item.get_closest_marker("slow")}
    first |= {
        path for path, tests in Counter(item.path for item in items).items() if tests >= MANY or path.name in LONG
    }
    items.sort(key=lambda item: item.path not in first)


@pytest.fixture
def now() -> dt.datetime:
    return NOON


@pytest.fixture
def real_data() -> Path:
    """The folder with the real posts beside the project."""
    if not DATA.is_dir():
        pytest.skip("the real data (../shared/data) is not on this machine")
    return DATA


@pytest.fixture
def make_post() -> Callable[..., Post]:
    """Posts by invented people; every keyword is a field of Post, `author` may be a handle."""
    numbers = itertools.count(1)

    def make(text: str = "Hello @fernway", **fields: Any) -> Post:
        author = fields.pop("author", "nadia")
        if isinstance(author, str):
            author = Author(id=f"id-{author}", handle=author, name=author.title())
        base = Post(
            network="mastodon",
            id=str(next(numbers)),
            text=text,
            created_at=NOON - dt.timedelta(minutes=5),
            author=author,
        )
        return msgspec.structs.replace(base, **fields)

    return make


@pytest.fixture
def alice(db: None) -> Any:
    """The owner of the workspace "fernway", as a membership."""
    from rapport.actions.accounts import create_workspace
    from rapport.store.models import Membership, User

    user = User.objects.create_user("alice@fernway.example", "correct horse battery", name="Alice")
    workspace = create_workspace(user, "Fernway", now=NOON)
    return Membership.objects.get(workspace=workspace)


@pytest.fixture
def ben(alice: Any) -> Any:
    """An agent in every basket of Alice's workspace."""
    from rapport.actions.accounts import invite
    from rapport.store.models import Basket

    baskets = list(Basket.objects.of(alice.workspace))
    return invite(alice, "ben@fernway.example", "Ben", "agent", baskets, now=NOON)[0]


@pytest.fixture
def charlie(db: None) -> Any:
    """The owner of another workspace."""
    from rapport.actions.accounts import create_workspace
    from rapport.store.models import Membership, User

    user = User.objects.create_user("charlie@other.example", "correct horse battery", name="Charlie")
    return Membership.objects.get(workspace=create_workspace(user, "Other", now=NOON))


@pytest.fixture
def channel(alice: Any) -> Any:
    """A connected Mastodon account of Alice's workspace; nothing answers at its address."""
    from rapport.actions.listening import connect_channel

    return connect_channel(
        alice, "mastodon", server="http://127.0.0.1:9", handle="fernway", external_id="id-fernway", name="Fernway",
        token="token", now=NOON,
    )  # fmt: skip


@pytest.fixture
def bus() -> Any:
    from rapport.bus.table import TableBus

    return TableBus()


@pytest.fixture
def worker(bus: Any) -> Any:
    from rapport.pipeline.worker import Worker

    return Worker(bus, lambda: NOON, dt.timedelta(seconds=60))


@pytest.fixture
def hear(channel: Any, bus: Any, worker: Any) -> Callable[..., Any]:
    """Posts come in and go through the whole line."""
    from rapport.actions.hearing import hear as hear_posts

    def take(*posts: Post) -> Any:
        heard = hear_posts(channel, posts, bus, now=NOON)
        worker.drain()
        return heard

    return take
