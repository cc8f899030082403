"""Everything the store does that a cut may come into."""

from __future__ import annotations

from cuts.workload import Workload
from cuts.workloads import backups, callbacks, damage, erasure, messages, migration


def workloads() -> list[Workload]:
    """All of them."""
    return [
        messages.WORKLOAD,
        callbacks.WORKLOAD,
        backups.BACKUP,
        backups.RESTORE,
        erasure.WORKLOAD,
        damage.WORKLOAD,
        *migration.workloads(),
    ]
