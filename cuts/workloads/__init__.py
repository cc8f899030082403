"""Everything the store does that a cut may come into."""

from __future__ import annotations

from cuts.workload import Workload
from cuts.workloads import backups, callbacks, damage, delivery, erasure, incidents, messages, migration


def workloads() -> list[Workload]:
    """All of them."""
    return [
        messages.WORKLOAD,
        callbacks.WORKLOAD,
        backups.BACKUP,
        backups.RESTORE,
        erasure.WORKLOAD,
        erasure.AFTER_ERASURE,
        delivery.WORKLOAD,
        delivery.ERASURE,
        incidents.WORKLOAD,
        damage.WORKLOAD,
        *migration.workloads(),
    ]
