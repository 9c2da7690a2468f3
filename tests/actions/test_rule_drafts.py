"""Drafts of rule sets: several people write them, one who may publishes them, and nobody's words are lost."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from conftest import NOON
from rapport.actions import rule_drafts as drafts
from rapport.actions.rules import save_rules
from rapport.core.errors import InvalidInput, InvalidRule, NotAllowed, Stale
from rapport.core.rules import default_document
from rapport.store.models import RuleDraft, RuleSet, ShadowDifference, Workspace

pytestmark = pytest.mark.django_db
FAULTY = "[[rule]]\nname = 'x'\n"
RAIN = "[[rule]]\nname = 'Rain'\nwhen = 'text matches \"rain\"'\nthen = ['basket:care']\n"


def in_force(alice: Any) -> RuleSet:
    newest = RuleSet.objects.of(alice.workspace).first()
    assert newest is not None
    return newest


def test_a_draft_begins_with_the_rules_in_force_or_with_a_document(alice: Any) -> None:
    one = drafts.begin_draft(alice, "  Rain   rules ", now=NOON)
    assert (one.name, one.document, one.base) == ("Rain rules", default_document(), in_force(alice).version)
    assert drafts.begin_draft(alice, "From a file", "# mine\r\n", now=NOON).document == "# mine\n"
    with pytest.raises(InvalidInput, match="draft named Rain rules already"):
        drafts.begin_draft(alice, "Rain rules", now=NOON)
    with pytest.raises(InvalidInput, match="name of one line"):
        drafts.begin_draft(alice, " \n ", now=NOON)


def test_a_draft_with_faults_can_be_saved_and_neither_published_nor_run(alice: Any) -> None:
    draft = drafts.begin_draft(alice, "Rain", FAULTY, now=NOON)
    with pytest.raises(InvalidRule):
        drafts.publish_draft(alice, draft, "rain", draft.revision, draft.base, now=NOON)
    with pytest.raises(InvalidRule):
        drafts.run_beside(alice, draft, NOON + dt.timedelta(hours=1), now=NOON)
    assert in_force(alice).version == 1


def test_a_save_over_newer_words_of_a_colleague_is_refused(alice: Any) -> None:
    draft = drafts.begin_draft(alice, "Rain", now=NOON)
    saved = drafts.save_draft(alice, draft, RAIN, 1, now=NOON)
    assert saved.revision == 2
    with pytest.raises(Stale, match="Alice saved this draft meanwhile"):
        drafts.save_draft(alice, draft, "# other", 1, now=NOON)
    assert RuleDraft.objects.get().document == RAIN


def test_of_two_saves_that_began_from_one_version_the_second_is_refused_and_says_who_was_faster(alice: Any) -> None:
    save_rules(alice, RAIN, over=1, now=NOON)
    with pytest.raises(Stale, match="Alice put other rules in force meanwhile"):
        save_rules(alice, "# mine\n", over=1, now=NOON)
    assert (in_force(alice).version, in_force(alice).document) == (2, RAIN)
    save_rules(alice, "# mine\n", over=2, now=NOON)
    assert in_force(alice).document == "# mine\n"


def test_publishing_makes_the_next_version_with_its_reason(alice: Any) -> None:
    before = Workspace.objects.get().config_version
    draft = drafts.begin_draft(alice, "Rain", RAIN, now=NOON)
    rules = drafts.publish_draft(alice, draft, " It rains ", 1, 1, now=NOON)
    assert (rules.version, rules.document, rules.note, rules.author) == (2, RAIN, "It rains", alice)
    assert RuleDraft.objects.get().published_as == 2
    assert Workspace.objects.get().config_version == before + 1


def test_what_was_not_seen_is_not_published(alice: Any) -> None:
    draft = drafts.begin_draft(alice, "Rain", RAIN, now=NOON)
    with pytest.raises(InvalidInput, match="in a few words"):
        drafts.publish_draft(alice, draft, " ", 1, 1, now=NOON)
    drafts.save_draft(alice, draft, RAIN + "# more\n", 1, now=NOON)
    with pytest.raises(Stale, match="saved this draft"):
        drafts.publish_draft(alice, draft, "rain", 1, 1, now=NOON)
    save_rules(alice, "# none\n", now=NOON)
    with pytest.raises(Stale, match="Other rules came in force"):
        drafts.publish_draft(alice, draft, "rain", 2, 1, now=NOON)
    same = drafts.begin_draft(alice, "Same", now=NOON)
    with pytest.raises(InvalidInput, match="in force already"):
        drafts.publish_draft(alice, same, "rain", 1, 2, now=NOON)
    assert in_force(alice).document == "# none\n"


def test_agents_write_no_drafts_and_strangers_see_none(alice: Any, ben: Any, charlie: Any) -> None:
    draft = drafts.begin_draft(alice, "Rain", RAIN, now=NOON)
    with pytest.raises(NotAllowed):
        drafts.begin_draft(ben, "Mine", now=NOON)
    for stranger in (ben, charlie):
        with pytest.raises(NotAllowed):
            drafts.save_draft(stranger, draft, "", 1, now=NOON)
        with pytest.raises(NotAllowed):
            drafts.publish_draft(stranger, draft, "rain", 1, 1, now=NOON)
        with pytest.raises(NotAllowed):
            drafts.delete_draft(stranger, draft, now=NOON)
    with pytest.raises(NotAllowed):
        save_rules(ben, RAIN, now=NOON)


def test_a_draft_runs_beside_until_it_is_changed_published_or_stopped(alice: Any) -> None:
    until, later = NOON + dt.timedelta(hours=1), NOON + dt.timedelta(minutes=1)
    draft = drafts.begin_draft(alice, "Rain", RAIN, now=NOON)
    for beginning, end in (
        (lambda: drafts.stop_beside(alice, draft, now=later), 1),
        (lambda: drafts.save_draft(alice, draft, RAIN + "# more\n", 1, now=later), 2),
        (lambda: drafts.publish_draft(alice, draft, "rain", 2, 1, now=later), 2),
    ):
        version = Workspace.objects.get().config_version
        drafts.run_beside(alice, draft, until, now=NOON)
        assert Workspace.objects.get().config_version == version + 1
        beginning()
        assert RuleDraft.objects.get().shadow_until == later
        assert RuleDraft.objects.get().revision == end
    with pytest.raises(InvalidInput, match="any more"):
        drafts.stop_beside(alice, draft, now=later)


def test_running_again_begins_the_figures_anew(alice: Any) -> None:
    draft = drafts.begin_draft(alice, "Rain", RAIN, now=NOON)
    drafts.run_beside(alice, draft, NOON + dt.timedelta(hours=1), now=NOON)
    RuleDraft.objects.update(shadow_seen=9, shadow_different=3)
    ShadowDifference.objects.create(workspace=alice.workspace, draft=draft, kind="basket", count=3)
    drafts.run_beside(alice, draft, NOON + dt.timedelta(hours=2), now=NOON)
    row = RuleDraft.objects.get()
    assert (row.shadow_seen, row.shadow_different, row.differences.count()) == (0, 0, 0)
    with pytest.raises(InvalidInput, match="at most 31 days"):
        drafts.run_beside(alice, draft, NOON + dt.timedelta(days=40), now=NOON)


def test_a_draft_that_is_gone_is_said_to_be_gone(alice: Any) -> None:
    draft = drafts.begin_draft(alice, "Rain", RAIN, now=NOON)
    drafts.delete_draft(alice, RuleDraft.objects.get(), now=NOON)
    with pytest.raises(Stale, match="threw this draft away"):
        drafts.save_draft(alice, draft, "", 1, now=NOON)


def test_a_draft_gets_another_name_that_is_free(alice: Any) -> None:
    draft = drafts.begin_draft(alice, "Rain", RAIN, now=NOON)
    drafts.begin_draft(alice, "Snow", RAIN, now=NOON)
    assert drafts.rename_draft(alice, draft, "Hail", now=NOON).name == "Hail"
    with pytest.raises(InvalidInput, match="draft named Snow already"):
        drafts.rename_draft(alice, draft, "Snow", now=NOON)
