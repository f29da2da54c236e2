"""Other label sets: files of every kind, their faults, and a task from the command line to the release."""

import gzip
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest
import yaml

from jobs.labels import take_over
from jobs.runner import LABELS, Context, run_stage, run_stages
from jobs.stages import stage_of
from recsys.categories.labels import read_labels
from recsys.errors import DegenerateInput, ImportRefused, InputError, MissingArtefact, UnknownArticle
from recsys.runs.stages import STAGES
from recsys.settings import Settings
from recsys.workspace import read_json, read_table
from tests.commands import job
from tests.newsroom import QUICK, TOPICS, fill_toy, published, toy_settings

ROOT = Path(__file__).resolve().parents[1]
MOODS = {"football": "cheerful", "markets": "gloomy"}
BEFORE = ("events", "tokens", "words", "keywords", "articles")
TWO = [{"text": "good news", "label": "up"}, {"text": "bad news", "label": "down"}]


def jsonl(file: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return file


def moods() -> list[Mapping[str, object]]:
    """Texts of each topic's words with the mood that they stand for, and one article by its id."""
    texts = [(topic, words.split()[i : i + 5]) for topic, words in TOPICS.items() for i in range(8)]
    rows: list[Mapping[str, object]] = [{"text": " ".join(text), "mood": MOODS[topic]} for topic, text in texts]
    return [*rows, {"id": "markets-7", "mood": "gloomy"}]


def test_rows_need_a_label_and_a_text_or_an_article(tmp_path: Path) -> None:
    rows: list[Mapping[str, object]] = [
        *TWO,
        {"text": "bad news", "label": "down"},
        {"id": "a1", "label": True},
        {"id": 7, "label": 1.0},
        {"text": "  ", "label": "up"},
        {"text": "no label", "label": None},
        {"text": "a list", "label": ["up"]},
        {"text": "lone \ud800", "label": "up"},
        {"text": "x", "label": "y" * 81},
    ]
    file = jsonl(tmp_path / "some.jsonl", rows)
    file.write_text(file.read_text() + "\n{broken", encoding="utf-8")
    table, counts = read_labels(file, "mood", "utf-8", 1)
    assert counts == {
        "rows": 11, "unreadable": 1, "without_label": 3, "without_text": 1, "repeated": 1, "rare": 0,
    }  # fmt: skip
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (None, "", "good news", "up"),
        (None, "", "bad news", "down"),
        ("a1", "", "", "true"),
        ("7", "", "", "1"),
        (None, "", "lone ?", "up"),
    ]


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    frame = pd.DataFrame({"title": ["好消息", "bad"], "body": ["增长", "loss"], "mood": ["up", "down"]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t", encoding="utf-16")
    frame.to_parquet(tmp_path / "a.parquet")
    lines = frame.to_json(orient="records", lines=True, force_ascii=False).encode()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "b.csv").write_bytes(frame.to_csv(index=False).encode("gb18030"))
    found = [
        read_labels(tmp_path / name, "mood", "utf-8", 1)[0] for name in ("a.csv", "a.tsv", "a.parquet", "a.jsonl.gz")
    ]
    found.append(read_labels(tmp_path / "b.csv", "mood", "gb18030", 1)[0])
    assert all(table.equals(found[0]) for table in found)
    assert found[0].to_pylist()[0] == {"id": None, "title": "好消息", "body": "增长", "label": "up"}


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("a.jsonl", "", ImportRefused, "no text|empty"),
        ("a.jsonl", '{"text": "a", "mod": "up"}', ImportRefused, "a column 'label' or 'mood'"),
        ("a.jsonl", '{"words": "a", "label": "up"}', ImportRefused, "'text', 'title', 'body' or 'id'"),
        ("a.csv", '{"text": "a", "label": "up"}', ImportRefused, "JSON"),
        ("a.doc", "text", ImportRefused, "a file named"),
        ("a.jsonl", '{"text": "a", "label": "up"}\n{"text": "b", "label": "up"}', DegenerateInput, "two labels"),
        ("a.jsonl", '{"text": "a", "label": "up"}\n{"text": "b", "label": null}', DegenerateInput, "without_label 1"),
    ],
)
def test_a_file_that_cannot_teach_is_refused(
    tmp_path: Path, name: str, text: str, error: type[InputError], message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(error, match=message):
        read_labels(tmp_path / name, "mood", "utf-8", 1)


def test_rare_labels_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [{"text": f"{label} {i}", "label": label} for label, n in (("a", 3), ("b", 3), ("c", 1)) for i in range(n)]
    table, counts = read_labels(jsonl(tmp_path / "a.jsonl", rows), "mood", "utf-8", 2)
    assert (table.num_rows, counts["rare"]) == (6, 1)


def test_a_column_of_other_things_is_no_labels(tmp_path: Path) -> None:
    rows: list[Mapping[str, object]] = [{"text": str(i), "label": str(i)} for i in range(501)]
    with pytest.raises(DegenerateInput, match="at most 500 labels"):
        read_labels(jsonl(tmp_path / "a.jsonl", rows), "mood", "utf-8", 1)


@pytest.mark.parametrize("task", ["", "../up", "Mood", "a b", "x" * 41])
def test_a_task_has_the_name_of_a_folder(tmp_path: Path, task: str) -> None:
    with pytest.raises(InputError, match="a name of small letters"):
        read_labels(jsonl(tmp_path / "a.jsonl", TWO), task, "utf-8", 1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A toy newsroom of its own, up to the articles' vectors."""
    settings = toy_settings(tmp_path_factory.mktemp("tasks"))
    fill_toy(settings)
    run_stages(Context(settings, seed=1), [stage_of(name) for name in BEFORE])
    return settings


def test_labels_and_task_go_together_and_ids_must_be_known(site: Settings, tmp_path: Path) -> None:
    context, file = Context(site, seed=1), jsonl(tmp_path / "a.jsonl", TWO)
    with pytest.raises(InputError, match="only --labels"):
        take_over(context, file, None, "utf-8")
    with pytest.raises(InputError, match="only --task"):
        take_over(context, None, "mood", "utf-8")
    strangers = [{"id": f"x{i}", "label": "ab"[i % 2]} for i in range(6)]
    with pytest.raises(UnknownArticle, match="'x0' and 5 others"):
        take_over(context, jsonl(tmp_path / "b.jsonl", strangers), "mood", "utf-8")
    elsewhere = Context(toy_settings(tmp_path), seed=1)
    rows = [{"text": f"{i}", "label": "ab"[i % 2]} for i in range(6)]
    with pytest.raises(MissingArtefact, match="python -m jobs events"):
        take_over(elsewhere, jsonl(tmp_path / "c.jsonl", rows), "mood", "utf-8")
    assert not (site.data_dir / LABELS).exists()


def test_a_task_labels_the_whole_catalogue_and_is_made_again_only_when_its_labels_change(
    site: Settings, tmp_path: Path
) -> None:
    context, tasks = Context(site, seed=1), stage_of("tasks")
    assert run_stage(context, *tasks)
    assert read_json(site.data_dir / "work" / "tasks" / "tasks.json") == {"tasks": []}
    rows = [*moods(), {"id": "gone", "mood": "gloomy"}, {"id": "football-0", "mood": "gloomy"}]
    rows += [{"id": "football-0", "mood": "cheerful"}]
    take_over(context, jsonl(tmp_path / "a.jsonl", rows), "mood", "utf-8")
    assert run_stage(context, *tasks)
    assert not run_stage(context, *tasks)
    folder = site.data_dir / "work" / "tasks"
    (told,) = read_json(folder / "tasks.json")["tasks"]
    assert (told["task"], told["labels"]) == ("mood", ["cheerful", "gloomy"])
    assert (told["rows"]["labelled"], told["rows"]["unknown_ids"], told["rows"]["contradictory"]) == (19, 1, 2)
    assert told["languages"]["en"]["accuracy"] >= 0.9
    found = read_table(folder / "mood" / "articles.parquet").to_pylist()
    assert [row["id"] for row in found if row["given"]] == ["markets-7"]
    assert all(row["label"] == MOODS[row["id"].split("-")[0]] for row in found)
    take_over(context, jsonl(tmp_path / "a.jsonl", moods()[::-1]), "mood", "utf-8")
    assert run_stage(context, *tasks)


def test_labels_whose_articles_have_gone_leave_a_task_without_labels(site: Settings, tmp_path: Path) -> None:
    rows: list[Mapping[str, object]] = [
        {"id": "football-1", "mood": "cheerful"},
        {"id": "football-1", "mood": "gloomy"},
    ]
    rows += [{"id": f"gone-{i}", "mood": ("cheerful", "gloomy")[i % 2]} for i in range(8)]
    context = Context(site, seed=1)
    take_over(context, jsonl(tmp_path / "a.jsonl", rows), "mood", "utf-8")
    run_stage(context, *stage_of("tasks"))
    (told,) = read_json(site.data_dir / "work" / "tasks" / "tasks.json")["tasks"]
    assert (told["labels"], told["articles"]["without"]) == ([], 16)


def test_a_task_from_the_command_line_outlives_a_night_and_is_published(site: Settings, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(QUICK))
    jsonl(tmp_path / "moods.jsonl", moods())
    env = {**os.environ, "RECSYS_DATA_DIR": str(site.data_dir), "RECSYS_CONFIG": str(tmp_path / "config.yaml")}

    done = job("categories", "--labels", str(tmp_path / "moods.jsonl"), "--task", "tone", "--seed", "1", env=env)
    assert done.returncode == 2  # the column is named after another task
    assert "a column 'label' or 'tone'" in done.stderr
    done = job("categories", "--labels", str(tmp_path / "moods.jsonl"), "--task", "mood", "--seed", "1", env=env)
    assert done.returncode == 0, done.stderr
    assert "task=mood" in done.stderr
    assert "accuracy_en=" in done.stderr
    context, made = Context(site, seed=1), [*BEFORE, "tasks"]
    assert run_stages(context, [stage_of(name) for name in made]) == 1  # events always looks into the store
    published(context, made, force=True)  # nobody could be served these stages
    rows = read_table(context.releases.open().path("tasks") / "mood" / "articles.parquet").to_pylist()
    assert {row["label"] for row in rows} == set(MOODS.values())
    assert "tasks" in STAGES
