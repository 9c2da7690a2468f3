"""For whatever watches over the process: is it up, and can it work?"""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; asks nothing else of the machine."""
    return JsonResponse({"status": "up"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and has every table that this version needs, else 503 with what is missing."""
    try:
        executor = MigrationExecutor(connection)
        waiting = [str(step) for step, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    except DatabaseError:
        return JsonResponse({"status": "not ready", "database": "does not answer", "migrations": None}, status=503)
    if waiting:
        return JsonResponse({"status": "not ready", "database": "answers", "migrations": len(waiting)}, status=503)
    return JsonResponse({"status": "ready", "database": "answers", "migrations": 0})
