"""How posts are read, for programs: thresholds, the share of the second look, and the team's own model."""

from __future__ import annotations

import msgspec

from rapport.actions import team_model as acts
from rapport.actions.readings import save_reading_settings
from rapport.api.body import read_body, read_object
from rapport.api.door import Call, missing
from rapport.api.shapes import (
    OwnModel,
    OwnModelBody,
    OwnModelReading,
    OwnModelVersion,
    ReadingsBody,
    ReadingsInForce,
)
from rapport.store.models import TeamModel
from rapport.store.queries.readings import read_counting
from rapport.store.queries.snapshot import read_share
from rapport.store.queries.team_model import count_waiting, list_team_models, team_version
from rapport.wiring import current_settings

#: versions that are told, the newest
VERSIONS = 20


def read_thresholds(call: Call) -> ReadingsInForce:
    """What is in force."""
    workspace = call.by.workspace_id
    own = read_share(workspace)
    used = current_settings().deep_share if own is None else own
    return ReadingsInForce(thresholds=read_counting(workspace), share=own, share_in_force=used)


def save_thresholds(call: Call) -> ReadingsInForce:
    """Puts others in force; what is left out is as it ships."""
    wanted = read_object(read_body(call.request), ReadingsBody)
    save_reading_settings(call.by, wanted.thresholds, wanted.share, now=call.now)
    return read_thresholds(call)


def read_team_model(call: Call) -> OwnModel:
    """Which version is in force, and how good each is."""
    versions = list_team_models(call.by.workspace)[:VERSIONS]
    return OwnModel(
        in_force=team_version(call.by.workspace_id),
        waiting=count_waiting(call.by.workspace),
        versions=tuple(map(_version, versions)),
    )


def train_team_model(call: Call) -> OwnModel:
    """Has one learnt by a worker; one that is in the making is answered as it is."""
    acts.ask_team_model(call.by, now=call.now)
    return read_team_model(call)


def use_team_model(call: Call) -> OwnModel:
    """Puts a version in force, or with 0 the shipped model alone."""
    wanted = read_object(read_body(call.request), OwnModelBody)
    if wanted.version == 0:
        if team_version(call.by.workspace_id):  # asked twice it is still so
            acts.withdraw_team_model(call.by, now=call.now)
    else:
        row = TeamModel.objects.of(call.by.workspace_id).filter(version=wanted.version).first()
        if row is None:
            raise missing()
        acts.use_team_model(call.by, row, now=call.now)
    return read_team_model(call)


def _version(row: TeamModel) -> OwnModelVersion:
    return OwnModelVersion(
        version=row.version, state=row.state, progress=row.progress, problem=row.problem, beside=row.beside,
        asked_at=row.asked_at, made_at=row.made_at, corrections=row.corrections, stood=row.stood,
        readings=tuple(msgspec.convert(each, OwnModelReading) for each in row.figures),
    )  # fmt: skip
