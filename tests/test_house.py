"""The shape of the house, checked."""

from django.apps import apps
from django.db import models

#: tables without a workspace of their own, and why
GLOBAL = {
    "User": "one person can work in several workspaces",
    "Workspace": "is the workspace",
    "SignInLink": "belongs to a user",
}
LAYERS = [
    "accounts",
    "people",
    "listening",
    "readings",
    "desk",
    "seats",
    "limits",
    "outbound",
    "drafts",
    "campaigns",
    "policy",
    "surveys",
    "notices",
    "promises",
    "work",
]


def area(model: type[models.Model]) -> str:
    return model.__module__.rsplit(".", 1)[-1]


def test_every_table_has_its_workspace() -> None:
    without = {
        model.__name__
        for model in apps.get_app_config("store").get_models()
        if "workspace" not in {field.name for field in model._meta.get_fields()}
    }
    assert without | {"Workspace"} == set(GLOBAL)


def test_tables_point_one_way() -> None:
    for model in apps.get_app_config("store").get_models():
        for field in model._meta.get_fields():
            if not isinstance(field, models.ForeignKey):
                continue
            here, there = area(model), area(field.related_model)
            if here in {"rules", "api"}:
                assert there in {"accounts", here}
            else:
                assert LAYERS.index(there) <= LAYERS.index(here), f"{model.__name__}.{field.name} points up"
