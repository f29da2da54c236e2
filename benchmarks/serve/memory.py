"""Memory of a worker, by what it holds: nothing, the articles, and the readers whom it has answered."""

from pathlib import Path

from benchmarks.serve.load import Setting, Table, closed_run, driven
from benchmarks.serve.service import Service
from benchmarks.serve.workload import asked

KIB = 1024.0
TOUCHES = 20_000  # readers that are answered at most: as many as a worker remembers


def memory(setting: Setting, articles: int, folder: Path) -> Table:
    """Resident memory per article and per reader, by differences of the largest process.

    Args:
        setting: the circumstances; the service should have answered nobody yet.
        articles: that it serves.
        folder: for a service without an article; it must not exist.
    """
    folder.mkdir()
    with Service(folder / "data", 1, folder / "empty.log") as empty:
        nothing = empty.memory()[0]
    ready = setting.service.memory()[0]
    readers = sorted({reader for reader in setting.visitors.readers if reader is not None})[:TOUCHES]
    before = setting.service.memory()
    run = closed_run(setting, 16, 600.0, 0.0)
    requests = [asked(f"/api/v1/recommendations?reader={reader}&k={setting.k}") for reader in readers]
    driven(run._replace(requests=requests, kinds=[0] * len(requests)))
    after = setting.service.memory()
    workers = setting.service.workers
    grown = sum(one.rss for one in after[:workers]) - sum(one.rss for one in before[:workers])
    return {
        "empty_mib": round(nothing.rss),
        "ready_mib": round(ready.rss),
        "article_kib": round((ready.rss - nothing.rss) * KIB / articles, 2),
        "readers_touched": len(readers),
        "reader_kib": round(grown * KIB / max(1, len(readers)), 2),
    }
