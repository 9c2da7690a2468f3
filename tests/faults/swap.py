"""Two worker processes, posts that stream in, and rules that change meanwhile.

Run as a program (the test does): `python swap.py VERSIONS`. Every version of the rules leaves two tags, by its first
and its last rule, so that an outcome tells whether one version decided it whole. What came of it is printed as JSON.
One worker is killed half way and another takes its place; a trial on history that it may have begun is taken over.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")
#: posts that come between two versions
PAGE = 60


def document(version: int) -> str:
    """Rules that say which version they are, first and last."""
    filling = "".join(
        f'[[rule]]\nname = "f{n}"\nwhen = \'complaint > {n}.5\'\nthen = ["tag:never"]\n' for n in range(1, 40)
    )
    return (
        f'[[rule]]\nname = "first"\nwhen = \'true\'\nthen = ["tag:first-{version}"]\n{filling}'
        f'[[rule]]\nname = "last"\nwhen = \'true\'\nthen = ["tag:last-{version}", "basket:care"]\n'
    )


def work() -> subprocess.Popen[bytes]:
    """A worker as a deployment starts it."""
    return subprocess.Popen([sys.executable, "-m", "rapport.cli.main", "work"], stdout=subprocess.DEVNULL)


def wait_for(what: str, holds: Any, seconds: float = 120) -> None:
    """Wait until `holds()`; says what did not come."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"{what} did not come within {seconds} s")
        time.sleep(0.05)


def main(versions: int) -> None:
    """Stream, change the rules, kill one worker, and tell what came of it."""
    from faults.rounds import feed, prepare
    from rapport.actions.back_tests import ask_back_test
    from rapport.actions.rule_drafts import begin_draft
    from rapport.actions.rules import save_rules
    from rapport.store.models import BackTest, BusMessage, Membership, Outcome, RuleSet

    prepare()
    alice = Membership.objects.get()
    number = 0

    def stream() -> None:
        nonlocal number
        feed([(f"{number + n}", f"Where is parcel {number + n} of mine, please?", None) for n in range(PAGE)])
        number += PAGE

    workers = [work(), work()]
    try:
        stream()
        wait_for("the first outcome", Outcome.objects.exists)
        now = dt.datetime.now(dt.UTC)
        draft = begin_draft(alice, "Trial", document(0), now=now)
        trial = ask_back_test(alice, draft, now - dt.timedelta(days=1), now + dt.timedelta(days=1), now=now)
        for version in range(2, versions + 2):
            save_rules(alice, document(version), "", now=dt.datetime.now(dt.UTC))
            stream()
            # the next one comes while the rest of these are on their way
            wait_for(f"version {version}", Outcome.objects.filter(rule_set=version).exists)
            if version == versions // 2:
                workers[0].kill()
                workers[0].wait()
                workers.append(work())
        wait_for("the end of the bus", lambda: not BusMessage.objects.exists())
        wait_for("the trial", lambda: BackTest.objects.get(pk=trial.pk).state == "done")
    finally:
        for process in workers:
            process.terminate()
            process.wait(timeout=30)

    mixed, late = 0, 0.0
    saved = {row.version: row.created_at for row in RuleSet.objects.all()}
    for row in Outcome.objects.all():
        tags = json.loads(row.body)["decision"].get("tags", [])
        whole = [f"first-{row.rule_set}", f"last-{row.rule_set}"]
        mixed += row.rule_set > 1 and tags != whole
        if row.rule_set + 1 in saved:
            late = max(late, (row.processed_at - saved[row.rule_set + 1]).total_seconds())
    print(
        json.dumps(
            {
                "posts": number,
                "outcomes": Outcome.objects.count(),
                "mixed": mixed,
                "versions": Outcome.objects.values("rule_set").distinct().count(),
                "late": late,
                "tried": BackTest.objects.get().seen,
            }
        )
    )


if __name__ == "__main__":
    import django

    django.setup()
    main(int(sys.argv[1]))
