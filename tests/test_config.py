"""config.yaml holds few keys, every key is described and used, and a wrong one gets the right one named."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from recsys.config import masked, plain
from recsys.errors import ConfigError
from recsys.names import REMOVED, setting_names, variable_of
from recsys.releases import Release
from recsys.serving import artefacts
from recsys.settings import Settings, load_settings
from recsys.settings.reference import as_config, as_markdown, keys_in
from recsys.tokens.config import TokensConfig

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "config.yaml"


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


def fields_of(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    """Every key's field, sections taken apart."""
    fields: dict[str, FieldInfo] = {}
    for key, field in model.model_fields.items():
        inner = field.annotation
        is_section = isinstance(inner, type) and issubclass(inner, BaseModel)
        fields |= fields_of(inner, f"{prefix}{key}.") if is_section else {prefix + key: field}  # type: ignore[arg-type]
    return fields


def test_config_yaml_holds_at_most_seventy_keys_each_known_and_with_its_default() -> None:
    written = flat(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    defaults = flat(plain(Settings()))
    assert len(written) <= 70
    assert len(defaults) <= 114  # half of what there was once, and what worker, readers and open doors brought
    assert written == {key: defaults.get(key) for key in written}


def test_every_key_says_its_unit_and_reason() -> None:
    assert [key for key, field in fields_of(Settings).items() if len(field.description or "") < 15] == []


def test_a_key_that_stands_in_several_sections_has_one_type() -> None:
    types: dict[str, set[str]] = {}
    for section in Settings.model_json_schema()["$defs"].values():
        for key, field in section["properties"].items():
            types.setdefault(key, set()).add(field.get("type", "string"))
    assert {key: kinds for key, kinds in types.items() if len(kinds) > 1} == {}


def test_a_share_lies_between_0_and_1_and_a_count_is_a_whole_number() -> None:
    for section in Settings.model_json_schema()["$defs"].values():
        for key, field in section["properties"].items():
            if key.endswith("_share"):
                bounds = [field.get(name) for name in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")]
                assert set(bounds) == {0, 1, None}, key
            if key in ("negatives", "min_count", "epochs", "patience", "batch_size"):
                assert field["type"] == "integer", key


def test_the_documents_name_only_keys_that_exist() -> None:
    sections = "|".join(key for key in Settings.model_fields if key != "data_dir")
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    named = set(re.findall(rf"`((?:{sections})\.[a-z_]+)`", text))
    named |= {name.lower().replace("__", ".") for name in re.findall(r"RECSYS_([A-Z_]+__[A-Z_0-9]+)", text)}
    files = {
        name
        for name in named
        if name.rpartition(".")[2] in ("py", "md", "parquet", "json", "html", "yaml", "db", "key")
    }
    assert named - files - set(fields_of(Settings)) == set()


def test_every_key_is_used_by_the_code() -> None:
    read: set[str] = set()
    for package in ("recsys", "jobs", "web"):
        for file in (ROOT / package).rglob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            read |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert [key for key in fields_of(Settings) if key.split(".")[-1] not in read] == []


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("items:\n  window: 7\n  epochs: 3\ndata_dir: here\n")
    monkeypatch.setenv("RECSYS_ITEMS__WINDOW", "9")
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path))
    settings = load_settings(file)
    assert (settings.items.window, settings.items.epochs, settings.data_dir) == (9, 3, tmp_path)


def test_the_file_is_found_through_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("items:\n  window: 7\n")
    monkeypatch.setenv("RECSYS_CONFIG", str(file))
    assert load_settings().items.window == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("items:\n  widow: 3\n", "config.yaml; got 'items.widow'. Did you mean 'items.window'"),
        ("item:\n  window: 3\n", "'item'. Did you mean 'items'"),
        ("ctr:\n  max_trained_words: 3\n", "'ctr.max_trained_words'. Did you mean 'words.max_trained_words'"),
        ("ctr:\n  aaaaaaaa: 3\n", "docs/settings.md lists all"),
        ("ctr:\n  lr_decays: 1\n", "'ctr.lr_decays'. It is a setting no more: take it out"),
        ("itens:\n  window: 3\n", "'itens'. Did you mean 'items'"),
        ("items:\n  window: wide\n", "'items.window'.*integer.*'wide'"),
        ("items:\n  window: -1\n", "'items.window'.*greater than or equal to 1"),
        ("items: 3\n", "'items'"),
        ("site:\n  timezone: Mars/Olympus\n", "'site.timezone'.*IANA.*'Mars/Olympus'"),
        ("items: [\n", "a YAML mapping"),
        ("- 1\n", "a YAML mapping"),
        ("\x00", "a YAML mapping"),
    ],
)
def test_a_wrong_file_is_answered_with_what_was_expected(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_settings(file)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("RECSYS_ITEMS__WIDOW", "'RECSYS_ITEMS__WINDOW'"),
        ("RECSYS_ITEM__WINDOW", "'RECSYS_ITEMS__WINDOW'"),
        ("RECSYS_CTR__MAX_TRAINED_WORDS", "'RECSYS_WORDS__MAX_TRAINED_WORDS'"),
        ("RECSYS_DATADIR", "'RECSYS_DATA_DIR'"),
        ("recsys_item__window", "'RECSYS_ITEMS__WINDOW'"),
    ],
)
def test_a_wrong_environment_variable_is_answered_with_the_nearest(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "3")
    with pytest.raises(ConfigError, match=f"Did you mean {meant}"):
        load_settings()


def test_a_variable_that_was_a_setting_is_refused_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_STORE__BUSY_TIMEOUT_MS", "3")
    with pytest.raises(ConfigError, match="a setting no more"):
        load_settings()


def test_the_keys_that_were_removed_are_no_settings_and_stand_in_the_changes() -> None:
    changes = (ROOT / "CHANGES.md").read_text(encoding="utf-8")
    assert REMOVED & set(setting_names()) == set()
    assert [key for key in REMOVED if f"`{key}`" not in changes] == []


def test_a_release_that_was_made_with_a_setting_of_before_is_read(tmp_path: Path) -> None:
    release = Release("r", tmp_path, {"config": {"tokens": {"workers": 2, "simplify": False}}})
    assert artefacts._section(TokensConfig, release, "tokens", Settings()) == TokensConfig(simplify=False)
    wrong = Release("r", tmp_path, {"config": {"tokens": {"workres": 2}}})
    with pytest.raises(ValidationError):
        artefacts._section(TokensConfig, wrong, "tokens", Settings())


def test_a_wrong_environment_variable_is_refused_where_nothing_is_installed() -> None:
    line = [sys.executable, "-S", "-m", "recsys.names"]  # -S: the standard library alone
    environ = {"RECSYS_ITEM__WINDOW": "8"}
    ended = subprocess.run(line, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "Did you mean 'RECSYS_ITEMS__WINDOW'?" in ended.stderr
    assert subprocess.run(line, cwd=ROOT, env={"RECSYS_CONFIG": "x"}, timeout=60, check=False).returncode == 0


def test_make_refuses_a_wrong_environment_variable_before_it_makes_anything() -> None:
    line = ["make", "VENV=gone", f"PYTHON={sys.executable}", "setup"]
    environ = {**os.environ, "RECSYS_ITEM__WINDOW": "8"}
    ended = subprocess.run(line, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "Did you mean 'RECSYS_ITEMS__WINDOW'?" in ended.stderr
    assert not (ROOT / "gone").exists()


def test_the_names_read_from_the_source_are_those_of_the_classes() -> None:
    sections = [key for key, field in Settings.model_fields.items() if key != "data_dir"]
    assert sorted(setting_names()) == sorted([*sections, *fields_of(Settings)])


def test_a_wrong_value_names_the_file_or_variable_that_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("items:\n  window: 0\n  epochs: 3\n")
    with pytest.raises(ConfigError, match=r"Correct it in config\.yaml"):
        load_settings()
    Path("site.yaml").write_text("items:\n  window: -2\n")
    with pytest.raises(ConfigError, match=r"got -2\. Correct it in site\.yaml"):
        load_settings()
    monkeypatch.setenv("RECSYS_ITEMS__WINDOW", "-3")
    with pytest.raises(ConfigError, match="Correct it in the environment variable RECSYS_ITEMS__WINDOW"):
        load_settings()


@pytest.mark.parametrize("text", ["1,0.5", "[1, 0.5", "x", "", "{"])
@pytest.mark.parametrize("key", ["recommend.outcome_weights", "categories.compare", "jobs.schedules"])
def test_a_list_in_the_environment_that_is_no_json_is_named_and_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable_of(key), text)
    with pytest.raises(ConfigError, match=rf"'{key}' .*Correct it in the environment variable {variable_of(key)}"):
        load_settings()


def test_a_list_in_the_environment_is_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_RECOMMEND__OUTCOME_WEIGHTS", "[2, 0]")
    assert load_settings().recommend.outcome_weights == (2.0, 0.0)


def test_the_sites_own_file_wins_over_the_one_that_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("data_dir: there\nitems:\n  window: 7\n  epochs: 3\n")
    Path("site.yaml").write_text("data_dir: here\nitems:\n  window: 9\nwords:\n  window: 5\n")
    settings = load_settings()
    assert (settings.items.window, settings.items.epochs, settings.words.window) == (9, 3, 5)
    assert settings.data_dir == Path("here")
    assert load_settings(Path("config.yaml")).items.window == 7


def test_the_written_list_of_settings_is_what_the_classes_say() -> None:
    keys = keys_in(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    remedy = "run: make settings"
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == as_markdown(keys), remedy
    assert CONFIG.read_text(encoding="utf-8") == as_config(keys), remedy


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no file at"):
        load_settings(tmp_path / "gone.yaml")


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("")
    assert load_settings(tmp_path / "config.yaml") == Settings()


def test_settings_cannot_be_changed_after_reading() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().items.window = 3  # type: ignore[misc]


def test_a_password_in_the_database_url_is_masked() -> None:
    assert masked("postgresql+psycopg://me:secret@host/db") == "postgresql+psycopg://me:***@host/db"
    assert masked("sqlite:////tmp/store.db") == "sqlite:////tmp/store.db"
