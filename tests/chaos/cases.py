"""The cases, by name, in the order in which they are run."""

from collections.abc import Callable

from tests.chaos import clients, clocks, files, kills, postgresql, resources
from tests.chaos.lab import Lab, Outcome

CASES: dict[str, Callable[[Lab], Outcome]] = {
    "kill-service": kills.service,
    "kill-runs": kills.workers,
    "release-files": files.releases,
    "release-forged": files.forgeries,
    "workspace-files": files.workspace,
    "log-files": files.log,
    "store-rows": resources.rows,
    "store-locked": resources.lock,
    "store-lost": resources.lost_database,
    "postgresql": postgresql.restarts,
    "postgresql-failover": postgresql.failovers,
    "postgresql-full": postgresql.exhausted,
    "disk-full": resources.disk,
    "read-only": resources.read_only,
    "descriptors": resources.descriptors,
    "memory": resources.memory,
    "slow-clients": clients.slow,
    "strings": clients.strings,
    "clocks": clocks.clocks,
}
