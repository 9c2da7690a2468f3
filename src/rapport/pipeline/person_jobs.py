"""Exports and erasures of people, in the background of a worker or in front of a person at a terminal."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from time import sleep

from django.db import OperationalError

from rapport.actions.erasure import erase_some, finish_erasure
from rapport.actions.exports import make_export
from rapport.actions.forgetting import StillLeaving, sweep_words
from rapport.actions.person_jobs import LostClaim, claim_job, fail_job, ours
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.pipeline.apart import Apart
from rapport.store.models import PersonJob

log = logging.getLogger(__name__)

#: seconds between two looks whether what is leaving has left
WAIT = 1.0
#: seconds between two steps: others write in between
BREATH = 0.02
#: what somebody reads whose job broke off; the log has the rest
FAILED = "It broke off. The log of the worker says why. What was taken away is gone; ask again to go on."


def archivist(name: str, clock: Callable[[], dt.datetime]) -> Apart[PersonJob]:
    """Does the exports and erasures that people ask for."""
    return Apart("archivist", lambda: claim_job(name, now=clock()), lambda job: carry_out(job, clock))


def carry_out(job: PersonJob, clock: Callable[[], dt.datetime], pause: Callable[[float], object] = sleep) -> bool:
    """Do a job that was claimed; whether it came to its end. What went wrong, its row says."""
    try:
        if job.kind == PersonJob.Kind.EXPORT:
            make_export(job, now=clock())
        else:
            _erase(job, clock, pause)
        return True
    except (OperationalError, LostClaim):
        raise
    except (InvalidInput, NotAllowed) as error:
        fail_job(job, str(error), now=clock())
    except Exception:  # the outermost place: a job that breaks must not stop the line
        log.exception("%s %s broke off", job.kind, job.pk)
        fail_job(job, FAILED, now=clock())
    return False


def _erase(job: PersonJob, clock: Callable[[], dt.datetime], pause: Callable[[float], object]) -> None:
    more = True
    while more:
        try:
            more = erase_some(job, now=clock())
            pause(BREATH)
        except StillLeaving:
            # a sender settles it or its claim runs out; meanwhile the job stays ours
            ours(job, clock())
            pause(WAIT)
    sweep_words(lambda: ours(job, clock()))
    finish_erasure(job, now=clock())
