"""``python -m jobs init``: five questions, a small file, and the commands that come next."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from jobs import init
from jobs.__main__ import app
from recsys.errors import InputError
from recsys.settings import load_settings
from tests.commands import job

ROOT = Path(__file__).resolve().parents[1]
GIVEN = ["--name", "Morgenposten", "--language", "no", "--timezone", "Europe/Oslo"]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "da_DK.UTF-8")
    monkeypatch.setenv("TZ", "Europe/Copenhagen")
    for name in ("LC_ALL", "LC_MESSAGES", "RECSYS_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_answers_become_a_file_of_ten_lines_that_the_jobs_read() -> None:
    result = CliRunner().invoke(app, ["init", *GIVEN, "--address", "www.morgenposten.no/", "--source", "demo"])
    assert result.exit_code == 0
    assert len(Path("site.yaml").read_text().splitlines()) <= 10
    site = load_settings().site
    assert (site.id, site.name, site.language) == ("morgenposten.no", "Morgenposten", "no")
    assert (site.timezone, site.base_url) == ("Europe/Oslo", "https://www.morgenposten.no")
    assert [line.strip() for line in result.stdout.splitlines() if "python -m" in line] == [
        "python -m jobs simulate",
        "python -m jobs all",
        "python -m web",
    ]


def test_without_answers_the_machine_says_language_and_zone() -> None:
    assert CliRunner().invoke(app, ["init", "--yes"]).exit_code == 0
    site = load_settings().site
    assert (site.id, site.language, site.timezone, site.base_url) == ("default", "da", "Europe/Copenhagen", "")


def test_a_machine_that_says_nothing_is_english_at_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("TZ")
    assert (init.own_language(), init.own_timezone(tmp_path / "localtime")) == ("en", "UTC")
    (tmp_path / "zoneinfo" / "Asia").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Asia" / "Tokyo").touch()
    (tmp_path / "localtime").symlink_to(tmp_path / "zoneinfo" / "Asia" / "Tokyo")
    assert init.own_timezone(tmp_path / "localtime") == "Asia/Tokyo"


def test_a_configuration_that_is_there_is_kept() -> None:
    Path("site.yaml").write_text("site:\n  name: Kept\n")
    result = CliRunner().invoke(app, ["init", "--yes"])
    assert isinstance(result.exception, InputError)
    assert load_settings().site.name == "Kept"
    assert CliRunner().invoke(app, ["init", "--yes", "--force"]).exit_code == 0
    assert load_settings().site.name == "My news site"


def test_another_file_is_named_in_the_commands_that_come_next() -> None:
    result = CliRunner().invoke(app, ["init", "--yes", "--config", "sites/a.yaml"])
    assert "python -m jobs all --config sites/a.yaml" in result.stdout
    assert load_settings(Path("sites/a.yaml")).site.language == "da"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--name", " ", "expected a name"),
        ("--address", "morgenposten", "an address such as https://www.example.org"),
        ("--address", "https://exa mple.org", "an? (address|base url)"),
        ("--language", "klingon language", "language of the site; got 'klingon language'"),
        ("--timezone", "Europe/Olso", "Did you mean 'Europe/Oslo'"),
        ("--source", "gone.csv", "no file at 'gone.csv'"),
        ("--source", "odd.xls", "a file of csv"),
        ("--source", "tables", "Name one of the files in it"),
    ],
)
def test_a_wrong_option_is_answered_with_what_was_expected(option: str, value: str, message: str) -> None:
    Path("odd.xls").touch()
    Path("tables").mkdir()
    Path("tables/a.csv").touch()
    result = CliRunner().invoke(app, ["init", "--yes", option, value])
    assert isinstance(result.exception, InputError)
    with pytest.raises(InputError, match=message):
        raise result.exception
    assert not Path("site.yaml").exists()


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("https://example.org/rss", "import feed https://example.org/rss"),
        ("a.csv.gz", "import csv a.csv.gz"),
        ("a.NDJSON", "import jsonl a.NDJSON"),
        ("a.parquet", "import parquet a.parquet"),
        ("a.xml", "import feed a.xml"),
        ("mind", "import mind mind"),
        ("ebnerd", "import ebnerd ebnerd"),
        ("logs", "import adressa logs"),
        ("demo", "simulate"),
    ],
)
def test_the_import_is_named_by_what_the_source_is(source: str, line: str) -> None:
    files = ("a.csv.gz", "a.NDJSON", "a.parquet", "a.xml", "mind/news.tsv", "ebnerd/small/articles.parquet", "logs/1")
    for file in files:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).touch()
    result = CliRunner().invoke(app, ["init", "--yes", "--source", source])
    assert f"python -m jobs {line}\n" in result.stdout
    assert f"# Articles: python -m jobs {line}\n" in Path("site.yaml").read_text()


def test_on_a_terminal_a_wrong_answer_is_explained_and_asked_again(tmp_path: Path) -> None:
    terminal, stdin = pty.openpty()
    os.write(terminal, b"\n\nklingon\nsv\n\ngone.csv\ndemo\n")  # name, address, language twice, zone, source twice
    line = [sys.executable, "-m", "jobs", "init", "--config", str(tmp_path / "mine.yaml")]
    ended = subprocess.run(line, cwd=ROOT, stdin=stdin, capture_output=True, text=True, timeout=60, check=False)
    os.close(terminal)
    os.close(stdin)
    assert ended.returncode == 0, ended.stderr
    assert "got 'klingon'" in ended.stderr
    assert "no file at 'gone.csv'" in ended.stderr
    site = yaml.safe_load((tmp_path / "mine.yaml").read_text())["site"]
    assert (site["name"], site["language"], site["timezone"]) == ("My news site", "sv", "Europe/Copenhagen")


def test_where_nobody_can_be_asked_the_missing_option_is_named(tmp_path: Path) -> None:
    ended = job("init", "--config", str(tmp_path / "mine.yaml"), *GIVEN, env=os.environ)
    assert ended.returncode == 2
    assert "Give --address, or --yes" in ended.stderr
    assert not (tmp_path / "mine.yaml").exists()
