"""Imports over the admin API: what is sent waits safely, is imported by a run, and what cannot be is told at once."""

import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from jobs import queued_import
from jobs.runner import Context
from recsys.errors import ImportRefused, InputError
from recsys.imports.fetch import Fetched
from recsys.runs.commands import IMPORT, TAKEN, command_line
from recsys.runs.lifecycle import holder_of, place_of
from recsys.runs.uploads import UPLOADS
from recsys.store import Run
from tests.newsroom import SITE
from tests.service import Service, for_children, plain_settings, problem, serving

CSV = b"id,headline,text,section\n1,Harbour bridge closed,The bridge closes tonight.,city\n2,Rain,It rains.,weather\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    settings = plain_settings(tmp_path)
    for_children(settings, monkeypatch)
    with serving(settings) as service:
        yield service


def send(site: Service, query: str, body: bytes = b"") -> Any:
    secret = site.store.add_token(uuid.uuid4().hex)
    return site.client.post(
        f"/admin/api/imports?{query}", data=body, headers={"Authorization": f"Bearer {secret}"}, content_type="text/csv"
    )


def imported(site: Service) -> Run:
    """Do the import that waits longest, as a worker's child does."""
    context = Context(site.settings, seed=1)
    run = site.store.claim_run(SITE, TAKEN, holder_of(SITE), place_of(context.workspace), 1)
    assert run is not None
    assert command_line(run.job, run.params) == ["queued-import"]
    with suppress(InputError, ImportRefused):
        queued_import.command(context, run.id, None)
    ended = site.store.run(run.id)
    assert ended is not None
    return ended


def test_a_file_that_is_sent_is_imported_by_a_run_and_then_removed(site: Service) -> None:
    answer = send(site, "format=csv&map=title=headline,body=text,category=section&kind=articles", CSV)
    assert answer.status_code == 202, answer.text
    again = send(site, "format=csv&map=title=headline,body=text,category=section&kind=articles", CSV)
    assert again.status_code == 202  # several imports may wait
    (first, second) = (site.settings.data_dir / UPLOADS).iterdir()
    assert first.read_bytes() == second.read_bytes() == CSV
    run = imported(site)
    assert (run.id, run.state, run.job) == (answer.json["run_id"], "succeeded", IMPORT)
    assert sorted(article.id for article in site.store.articles(SITE)) == ["1", "2"]
    assert imported(site).state == "succeeded"
    assert list((site.settings.data_dir / UPLOADS).iterdir()) == []


def test_an_import_that_is_refused_says_why_in_its_run_and_keeps_the_file(site: Service) -> None:
    send(site, "format=csv&map=title=headline", b"a,b\n1,2\n")
    run = imported(site)
    assert run.state == "failed"
    assert "headline" in str(run.error)
    assert len(list((site.settings.data_dir / UPLOADS).iterdir())) == 1


def test_a_file_at_an_address_is_fetched_by_the_run(site: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def fetch(url: str, *, max_bytes: int, max_seconds: float) -> Fetched:
        asked.append((url, max_bytes))
        return Fetched(url, CSV, None, None)

    monkeypatch.setattr(queued_import, "fetch", fetch)
    address = "https://files.example.org/a.csv"
    assert send(site, f"format=csv&map=title=headline,body=text&url={address}").status_code == 202
    assert imported(site).state == "succeeded"
    assert asked == [(address, queued_import.MAX_BYTES)]


def test_an_address_that_only_this_machine_can_reach_is_refused(site: Service) -> None:
    assert send(site, "format=csv&url=http://127.0.0.1:1/a.csv").status_code == 202
    run = imported(site)
    assert run.state == "failed"
    assert "127.0.0.1" in str(run.error)


def test_a_file_that_is_gone_is_named(site: Service) -> None:
    send(site, "format=csv", CSV)
    for file in (site.settings.data_dir / UPLOADS).iterdir():
        file.unlink()
    assert "the file that was sent" in str(imported(site).error)


@pytest.mark.parametrize(
    ("query", "body", "named"),
    [
        ("format=docx", CSV, "csv, jsonl, parquet, feed"),
        ("format=csv", b"", "a url"),
        ("format=csv&url=https://example.org/a.csv", CSV, "url and upload"),
        ("format=feed", CSV, "a url"),
        ("format=feed&url=ftp://example.org/a", b"", "http or https"),
        ("format=feed&url=file:///etc/passwd", b"", "http or https"),
        ("format=feed&url=https://example.org/a&map=x=y", b"", "map"),
        ("format=csv&config=/etc/passwd", CSV, "config"),
        ("", CSV, "format"),
    ],
)
def test_what_cannot_be_imported_is_told_at_once_and_nothing_is_kept(
    site: Service, query: str, body: bytes, named: str
) -> None:
    assert named in problem(send(site, query, body), 422, "invalid")
    assert not (site.settings.data_dir / UPLOADS).exists()
    assert site.store.active_runs(SITE) == []


def test_an_import_is_no_plain_job_and_its_options_are_no_options_of_the_command_line() -> None:
    with pytest.raises(InputError, match="format"):
        command_line(IMPORT, {})
    with pytest.raises(InputError, match="options"):
        command_line(IMPORT, {"format": "csv", "upload": "x", "dry_run": "1"})
