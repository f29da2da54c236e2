"""config.yaml holds few keys, every key is described and used, and a wrong one gets the right one named."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from recsys.config import masked, plain
from recsys.errors import ConfigError
from recsys.settings import Settings, load_settings

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
    assert written == {key: defaults.get(key) for key in written}


def test_every_key_says_its_unit_and_reason() -> None:
    assert [key for key, field in fields_of(Settings).items() if len(field.description or "") < 15] == []


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
        ("items:\n  widow: 3\n", "'items.widow'. Did you mean 'window'"),
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


def test_a_wrong_environment_variable_is_answered_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_ITEMS__WIDOW", "3")
    with pytest.raises(ConfigError, match="Did you mean 'RECSYS_ITEMS__WINDOW'"):
        load_settings()


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
