"""Reads a folder as the listener does, each page stored with its cursor in one step; made to be killed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rapport.networks.base import Account
from rapport.networks.folder import watch
from rapport.networks.folder.network import Folder
from rapport.networks.http import GuardedSession


def main(folder: str, stored: Path) -> None:
    watch.SETTLED = 0.05
    account = Account(1, "", "drop", "folder-1", "", {"folder": folder})
    state = json.loads(stored.read_text()) if stored.exists() else {"cursor": "", "ids": [], "pages": 0}
    network = Folder(roots=lambda: (Path(folder).parent,))
    print("reading", flush=True)
    while True:
        for page in network.pull(account, "files", state["cursor"], GuardedSession()):
            state["ids"] += [post.id for post in page.posts]
            state["cursor"], state["pages"] = page.cursor, state["pages"] + 1
            # the transaction: all of it or nothing
            Path(f"{stored}.new").write_text(json.dumps(state))
            Path(f"{stored}.new").replace(stored)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
