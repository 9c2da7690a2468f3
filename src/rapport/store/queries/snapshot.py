"""What a worker must know of a workspace before it processes a batch."""

from __future__ import annotations

import msgspec
from django.utils import timezone

from rapport.core.hours import Hours
from rapport.core.score import SHIPPED, Weights
from rapport.core.thresholds import SHIPPED as COUNTING
from rapport.core.thresholds import Thresholds
from rapport.store.models import (
    Channel,
    ReadingSettings,
    RuleSet,
    ScoreWeights,
    Topic,
    Workspace,
)
from rapport.store.queries.load import read_opening
from rapport.store.queries.readings import read_counting
from rapport.store.queries.team_model import team_version


class Configuration(msgspec.Struct, frozen=True):
    """What people of a workspace set: source texts, to be compiled by whoever needs them."""

    workspace: int
    version: int
    languages: tuple[str, ...]
    #: (slug, query) of the active topics
    topics: tuple[tuple[str, str], ...]
    rules: str
    rules_version: int
    #: our handles in lower case without @; empty when an account of ours has none (files)
    handles: frozenset[str]
    weights: Weights = SHIPPED
    weights_version: int = 0
    #: the version of the workspace's own model that is in force; 0: the shipped one reads alone
    team_version: int = 0
    #: how many of the posts that matter get a second look (0..1); None: as the deployment says
    share: float | None = None
    #: from which certainty readings count
    counting: Thresholds = COUNTING
    #: the hours of those baskets that have some
    opening: tuple[Hours, ...] = ()
    #: IANA name of the workspace's time zone
    zone: str = "UTC"


def configuration_version(workspace_id: int) -> int:
    """Rises with every change; compare it before each batch."""
    return Workspace.objects.values_list("config_version", flat=True).get(pk=workspace_id)


def read_configuration(workspace_id: int) -> Configuration:
    """The topics and rules that are in force now."""
    workspace = Workspace.objects.get(pk=workspace_id)
    rules = RuleSet.objects.of(workspace).order_by("-version").first()
    topics = Topic.objects.of(workspace).filter(active=True).order_by("pk")
    return Configuration(
        workspace=workspace_id,
        version=workspace.config_version,
        languages=tuple(workspace.languages),
        topics=tuple(topics.values_list("slug", "query")),
        rules=rules.document if rules else "",
        rules_version=rules.version if rules else 0,
        handles=_own_handles(workspace),
        weights=weights_of(workspace),
        weights_version=_weights_version(workspace),
        team_version=team_version(workspace_id),
        share=read_share(workspace_id),
        counting=read_counting(workspace_id),
        zone=workspace.timezone,
        opening=read_opening(workspace_id, timezone.now()),
    )


def read_share(workspace_id: int) -> float | None:
    """The share of posts for the second look that a workspace set itself."""
    return ReadingSettings.objects.of(workspace_id).values_list("share", flat=True).first()


def weights_of(workspace: Workspace) -> Weights:
    """The weights of the score that are in force; fields that are not stored have their shipped value."""
    return Weights(**workspace.score_weights) if workspace.score_weights else SHIPPED


def _weights_version(workspace: Workspace) -> int:
    rows = ScoreWeights.objects.of(workspace).order_by("-version")
    return rows.values_list("version", flat=True).first() or 0


def _own_handles(workspace: Workspace) -> frozenset[str]:
    """With and without their server: networks write both."""
    handles = list(Channel.objects.of(workspace).values_list("handle", flat=True))
    if not all(handles):
        return frozenset()
    return frozenset(form for handle in handles for form in (handle.lower(), handle.lower().partition("@")[0]))
