"""Opening the desk from the command line: settings, tables, the first workspace and its first admin."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapport.core.errors import InvalidInput

if TYPE_CHECKING:
    from rapport.store.models import User, Workspace

FIRST_ADMIN = "admin@localhost"
#: how long the link for the first sign-in can be used; `rapport up` prints a new one
FIRST_LINK = dt.timedelta(hours=24)


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """The option that names the data folder."""
    parser.add_argument("--data", metavar="DIR", help="data folder (RAPPORT_DATA, else ./data)")


def load_django(data: str | None = None) -> None:
    """Set Django up on the data folder. Raises `SettingsError` (a SystemExit with a sentence) for a bad setting."""
    if data is not None:
        os.environ["RAPPORT_DATA"] = str(Path(data).expanduser().resolve())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")
    # a folder or file that we make is ours alone: the database holds what people wrote
    os.umask(0o077)
    import django

    django.setup()


def require_desk(data: str | None) -> None:
    """Refuse a data folder that is not there, which `load_django` would make: for commands that only read. Raises
    `InvalidInput`. Says nothing of a desk whose database is elsewhere.
    """
    if any(os.environ.get(name) for name in ("RAPPORT_DATABASE_URL", "RAPPORT_DATABASE_URL_FILE")):
        return
    folder = Path(data or os.environ.get("RAPPORT_DATA") or "data").expanduser().resolve()
    if not folder.is_dir():
        raise InvalidInput(f"there is no folder {folder}: name that of the desk with --data")


def typed_settings() -> Any:
    """The typed settings object (`rapport.settings.Settings`), after `load_django`."""
    from django.conf import settings

    return settings.RAPPORT


def data_dir() -> Path:
    """The data folder, made when it is missing."""
    folder: Path = typed_settings().data_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


@contextlib.contextmanager
def only_one(name: str, complaint: str) -> Iterator[None]:
    """Hold the lock `name` in the data folder. Raises `InvalidInput(complaint)` when somebody else holds it."""
    with (data_dir() / name).open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InvalidInput(complaint) from None
        yield


def migrate() -> None:
    """Bring the tables up to date, one process at a time."""
    from django.core.management import call_command
    from django.db import connection

    with (data_dir() / "setup.lock").open("a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
    connection.close()


def pending_migrations() -> list[str]:
    """Names of the changes to the tables that have not been made yet."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def require_tables(*, make: bool) -> None:
    """Make the tables of an empty database (`make`), else raise `InvalidInput` when they are not up to date."""
    from django.db import connection

    if not pending_migrations():
        return
    empty = "django_migrations" not in connection.introspection.table_names()
    if not (empty and make):
        raise InvalidInput("the tables are not up to date; start `rapport up` once, it brings them up to date")
    migrate()


def choose_workspace(slug: str | None, now: dt.datetime) -> Workspace:
    """The workspace `slug`, or the only one there is, or a first one named "default".

    Raises `InvalidInput` that lists the workspaces when there is a choice to make or no such workspace.
    """
    from rapport.store.models import Workspace

    workspaces = {workspace.slug: workspace for workspace in Workspace.objects.order_by("slug")}
    names = ", ".join(workspaces)
    if slug:
        if slug not in workspaces:
            there = f"there are: {names}" if names else "there is none yet; start `rapport up` once"
            raise InvalidInput(f"there is no workspace {slug!r}; {there}")
        return workspaces[slug]
    if len(workspaces) > 1:
        raise InvalidInput(f"there are several workspaces, name one with --workspace: {names}")
    return next(iter(workspaces.values()), None) or make_workspace("Default", "default", now)


def make_workspace(name: str, slug: str, now: dt.datetime) -> Workspace:
    """A workspace owned by the first admin."""
    from rapport.actions.accounts import create_workspace

    return create_workspace(first_admin(now), name, slug, now=now)


def first_admin(now: dt.datetime) -> User:
    """The oldest user; the one that the settings name is made when there is nobody yet."""
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email

    from rapport.store.models import User

    oldest = User.objects.order_by("pk").first()
    if oldest is not None:
        return oldest
    settings = typed_settings()
    email = settings.admin_email or FIRST_ADMIN
    try:
        if settings.admin_email:
            validate_email(email)
        if settings.admin_password:
            validate_password(settings.admin_password, User(email=email))
    except ValidationError as error:
        name = "RAPPORT_ADMIN_PASSWORD" if error.error_list[0].code != "invalid" else "RAPPORT_ADMIN_EMAIL"
        raise InvalidInput(f"{name}: {' '.join(error.messages)}") from None
    # "ola.lind@..." -> "Ola": what the desk calls them until they say otherwise in their profile
    name = email.partition("@")[0].replace("_", ".").partition(".")[0].title()
    return User.objects.create_user(
        email, settings.admin_password or None, name=name, language=settings.language, joined_at=now
    )


def first_sign_in_path(now: dt.datetime) -> str | None:
    """The path of a new sign-in link while the first admin has never signed in and has no password, else None."""
    from rapport.actions.accounts import make_sign_in_link

    admin = first_admin(now)
    if admin.last_login is not None or admin.has_usable_password():
        return None
    return f"/sign-in/{make_sign_in_link(admin, FIRST_LINK, now=now)}/"
