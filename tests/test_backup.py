"""Backups: whole while everything is written, checked before they are put back, and never over what is there."""

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jobs import backup as backup_job
from jobs.__main__ import app as commands
from recsys.errors import CorruptArtefact, InputError, MissingArtefact, StoreError
from recsys.settings import Settings
from recsys.store import Event, Kind, Store, reader_digest
from recsys.store.backup import copy_database
from recsys.units import now_ms
from tests.newsroom import SITE, toy_settings
from tests.service import article, for_children


def run(*words: str) -> Any:
    return CliRunner().invoke(commands, list(words))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A data folder with a database, two releases, a log, keys, and a workspace."""
    settings = toy_settings(tmp_path / "data")
    data = settings.data_dir
    data.mkdir()
    for_children(settings, monkeypatch)
    store = Store.open(settings.database_url)
    store.put_articles([article("a")])
    store.close()
    for name in ("r1", "r2", ".r3"):
        (data / "releases" / name).mkdir(parents=True)
        (data / "releases" / name / "manifest.json").write_text(name)
    (data / "releases" / "CURRENT").write_text("r2")
    for name in ("log/day=2026-01-01/a.parquet", "work/words/x.npy", "live/a.bin"):
        (data / name).parent.mkdir(parents=True)
        (data / name).write_text(name)
    (data / "impressions.key").write_bytes(b"k" * 32)
    (data / "readers.key").write_bytes(b"r" * 32)
    return settings


def emptied(settings: Settings) -> Path:
    """The data folder of a new machine, which has the site's configuration and nothing else."""
    data = settings.data_dir
    kept = (data / "config.yaml").read_text()
    shutil.rmtree(data)
    data.mkdir()
    (data / "config.yaml").write_text(kept)
    return data


def test_a_backup_while_events_are_written_has_all_that_were_acknowledged_before(site: Settings) -> None:
    store, stop, acknowledged = Store.open(site.database_url), threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            name = f"e{acknowledged[0]}"
            store.add_events([Event(name, SITE, Kind.CLICK, "a", "ann", time=1)])
            acknowledged[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    while acknowledged[0] < 20:
        stop.wait(0.01)
    before, folder = acknowledged[0], site.data_dir.parent / "backup"
    made = run("backup", str(folder))
    assert made.exit_code == 0, made.output
    assert writer.is_alive()
    stop.set()
    writer.join()
    store.close()
    data = emptied(site)
    assert run("restore", str(folder)).exit_code == 0
    again = Store.open(site.database_url)
    events = again.events_after(SITE, 0, 100_000)
    assert before <= len(events) <= acknowledged[0]
    assert [event.event_id for event in events] == [f"e{n}" for n in range(len(events))]
    again.add_events([Event("later", SITE, Kind.CLICK, "a", "ann", time=1)])
    assert again.audit(SITE, 1)[0].verb == "restore"
    again.close()
    assert (data / "releases" / "CURRENT").read_text() == "r2"
    assert (data / "impressions.key").read_bytes() == b"k" * 32
    assert (data / "readers.key").read_bytes() == b"r" * 32
    assert (data / "log/day=2026-01-01/a.parquet").is_file()
    names = {path.name for path in data.iterdir()}
    assert not names & {"work", "live", "settings", "backup.json"}
    assert not (data / "releases" / ".r3").exists()


def test_a_backup_is_not_put_over_what_is_there_nor_written_over_another(site: Settings) -> None:
    folder = site.data_dir.parent / "backup"
    assert run("backup", str(folder)).exit_code == 0
    assert isinstance(run("backup", str(folder)).exception, InputError)
    assert isinstance(run("restore", str(folder)).exception, InputError)
    site.data_dir.joinpath("store.db").unlink()
    assert isinstance(run("restore", str(folder)).exception, InputError)  # a release is there


def test_one_that_is_not_whole_or_was_changed_is_refused_before_anything_is_written(site: Settings) -> None:
    folder = site.data_dir.parent / "backup"
    run("backup", str(folder))
    data = emptied(site)
    before = sorted(data.rglob("*"))
    victim = folder / "releases" / "r1" / "manifest.json"
    victim.write_text("r9")
    assert isinstance(run("restore", str(folder)).exception, CorruptArtefact)
    victim.unlink()
    assert isinstance(run("restore", str(folder)).exception, CorruptArtefact)
    (folder / "backup.json").unlink()
    assert isinstance(run("restore", str(folder)).exception, MissingArtefact)
    assert sorted(data.rglob("*")) == before


def test_a_release_that_is_pruned_meanwhile_is_left_out_as_a_whole(
    site: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    copytree = shutil.copytree

    def pruned(source: Path, to: Path) -> object:
        copied = copytree(source, to)
        if source.name == "r1":
            shutil.rmtree(source)
            raise FileNotFoundError(source)
        return copied

    monkeypatch.setattr(shutil, "copytree", pruned)
    folder = site.data_dir.parent / "backup"
    assert run("backup", str(folder)).exit_code == 0
    assert sorted(path.name for path in (folder / "releases").iterdir()) == ["CURRENT", "r2"]


def test_who_was_forgotten_while_it_was_written_is_cleared_from_the_log_again(site: Settings) -> None:
    store = Store.open(site.database_url)
    for name in ("early", "late"):
        store.add_events([Event(name, SITE, Kind.CLICK, "a", name, time=1)])
    store.forget_reader(SITE, "early", "x")
    store.log_is_cleared(SITE, store.forgotten_readers(SITE))
    began = now_ms() + 1
    while now_ms() < began:
        pass
    store.forget_reader(SITE, "late", "x")
    store.log_is_cleared(SITE, store.forgotten_readers(SITE, in_log=True))
    store.log_is_restored(began)
    assert [one.digest for one in store.forgotten_readers(SITE, in_log=True)] == [reader_digest(SITE, "late")]
    store.close()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("no database at all, but long enough to be looked at" * 20)
    with pytest.raises(StoreError, match="not a database"):
        copy_database(tmp_path / "store.db", tmp_path / "copy.db")
    with pytest.raises(StoreError, match="unable to open"):
        copy_database(tmp_path / "gone.db", tmp_path / "copy2.db")


def test_a_database_on_a_server_is_not_in_it_and_that_is_said(site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_job, "database_file", lambda _: None)
    folder = site.data_dir.parent / "backup"
    made = run("backup", str(folder))
    assert made.exit_code == 0
    assert json.loads((folder / "backup.json").read_text())["database"] is False
    assert not (folder / "store.db").exists()
