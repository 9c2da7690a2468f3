"""No table is forgotten by an erasure: whoever adds one says what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import models

from rapport.store.queries.erasure import HOLDERS, KEPT, model_of

#: relations by which a row belongs to somebody outside
THEIRS = {"Person", "Handle", "Post", "Conversation"}
NAMED = {holder.table: holder for holder in HOLDERS}


def tables() -> dict[str, type[models.Model]]:
    return {model.__name__: model for model in apps.get_app_config("store").get_models()}


def test_every_table_is_named_once_with_what_becomes_of_it() -> None:
    assert set(NAMED) | set(KEPT) == set(tables())
    assert not set(NAMED) & set(KEPT)
    assert len(NAMED) == len(HOLDERS)


def test_a_table_that_points_at_people_is_one_that_holds_something() -> None:
    pointing = {
        name
        for name, model in tables().items()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.related_model.__name__ in THEIRS
    }
    assert pointing <= set(NAMED)


def test_columns_that_are_named_exist() -> None:
    for holder in HOLDERS:
        columns = {field.name for field in model_of(holder.table)._meta.get_fields()}
        assert {*holder.blanked, *holder.texts} <= columns, holder.table


def words(model: type[models.Model]) -> Iterator[str]:
    """Columns that can hold what somebody typed."""
    for field in model._meta.get_fields():
        kinds = (models.TextField, models.CharField, models.JSONField, models.BinaryField)
        if isinstance(field, kinds) and not getattr(field, "choices", None):
            yield field.name


def test_in_a_table_whose_rows_stay_every_text_is_emptied_or_has_its_reason() -> None:
    silent = {
        f"{holder.table}.{column}"
        for holder in HOLDERS
        if holder.blanked
        for column in words(model_of(holder.table))
        if column not in holder.blanked and column not in holder.stays
    }
    # of the house, or of the kind of a thing
    of_the_house = {
        "AuditEntry.verb", "AuditEntry.subject", "AuditEntry.subject_id", "Attempt.step", "Approval.visibility",
        "Offer.what", "Offer.currency", "RuleDay.rule", "Tombstone.network", "PersonJob.claimed_by",
        "BusMessage.claimed_by",
    }  # fmt: skip
    assert silent - of_the_house == set()


def test_what_is_kept_has_a_reason_in_words() -> None:
    assert [name for name, reason in KEPT.items() if len(reason) < 5] == []
    assert [holder.table for holder in HOLDERS if len(holder.said) < 5] == []
