"""`rapport keys rotate`: everything under a new key, and nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import tables

MAKE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.utils import timezone
from allauth.mfa.models import Authenticator
from rapport.actions.accounts import create_workspace
from rapport.actions.listening import connect_channel
from rapport.store.models import Membership, User
from rapport.web.adapter import MFAAdapter
user = User.objects.create_user("alice@fernway.example", "correct horse battery", name="Alice")
workspace = create_workspace(user, "Fernway", now=timezone.now())
connect_channel(Membership.objects.get(workspace=workspace), "mastodon", server="https://a.example", handle="a",
    external_id="1", name="A", token="the token", now=timezone.now())
Authenticator.objects.create(user=user, type="totp", data={"secret": MFAAdapter().encrypt("JBSWY3DPEHPK3PXP")})
"""
LOOK = """
import django, json
django.setup()
from allauth.mfa.models import Authenticator
from rapport.store.models import Channel
from rapport.store.secrets import unseal
from rapport.web.adapter import MFAAdapter
channel = Channel.objects.get()
print(json.dumps({"token": unseal(channel.token), "sealed": bytes(channel.token).decode(),
    "totp": MFAAdapter().decrypt(Authenticator.objects.get().data["secret"])}))
"""


def python(code: str, folder: Path) -> str:
    environment = {**os.environ, "RAPPORT_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "rapport.config.django"}
    environment.pop("RAPPORT_DATABASE_URL", None)
    tables.lay(folder)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def rotate(folder: Path) -> Any:
    code = "from rapport.cli.main import main; raise SystemExit(main(['keys', 'rotate', '--json']))"
    return json.loads(python(code, folder))


def test_everything_lies_under_the_new_key_and_can_be_read(tmp_path: Path) -> None:
    python(MAKE, tmp_path)
    before, old = json.loads(python(LOOK, tmp_path)), (tmp_path / "token.keys").read_text()
    assert rotate(tmp_path) == {"resealed": 2, "lost": [], "new_key": True}
    after = json.loads(python(LOOK, tmp_path))
    assert (after["token"], after["totp"]) == ("the token", "JBSWY3DPEHPK3PXP")
    assert after["sealed"] != before["sealed"]
    newest, *others = (tmp_path / "token.keys").read_text().split(",")
    assert others == [old]
    assert (tmp_path / "token.keys").stat().st_mode & 0o777 == 0o600
    # the newest key alone opens everything
    (tmp_path / "token.keys").write_text(newest)
    assert json.loads(python(LOOK, tmp_path))["totp"] == "JBSWY3DPEHPK3PXP"


def test_a_desk_that_runs_notices_the_new_key(tmp_path: Path) -> None:
    python(MAKE, tmp_path)
    code = f"""{LOOK}
import subprocess, sys
other = "from rapport.cli.main import main; main(['keys', 'rotate'])"
subprocess.run([sys.executable, "-c", other], check=True, stdout=subprocess.DEVNULL)
print(unseal(Channel.objects.get().token))
"""
    assert python(code, tmp_path).splitlines()[-1] == "the token"
