"""Every setting with its default, allowed values, unit and reason, as the text of docs/settings.md and config.yaml.

Reads the sections' classes, and which keys stand in ``config.yaml``; produces Markdown and YAML.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from recsys.config import plain
from recsys.errors import ConfigError
from recsys.names import nearest_key, variable_of
from recsys.settings import Settings

COMMENT_COLUMN, WIDTH = 33, 120  # of config.yaml
PATTERN = re.compile(r"\^\(([^()]*)\)\$")
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true, false",
    "object": "mapping",
    "null": "null",
}
INTRODUCTION = """# Settings

Written by `make settings` from the sections' classes; change those, not this file.

A site decides the {written} keys of [config.yaml](../config.yaml). The other {advanced} are **advanced**: their
defaults were measured or bound memory, and few sites ever touch them. All are checked in the same way, and can be set
in four places, of which the later wins:

1. the defaults below,
2. `config.yaml`, which ships with every key that a site decides,
3. `site.yaml` beside it, which `python -m jobs init` writes and no update touches: any key may stand in it,
4. the environment: `RECSYS_ITEMS__WINDOW=8` sets `items.window`; lists and mappings are JSON there:
   `RECSYS_RECOMMEND__OUTCOME_WEIGHTS='[1, 0.5]'`.

`--config FILE` or `RECSYS_CONFIG` names one file that is read instead of the two.
"""
HEADINGS = "| key | default | values | unit and reason | in | environment |"
HEAD = """\
# The settings that a site decides, each with its default, its unit and the reason. docs/settings.md lists the others,
# which are advanced. What differs on your site goes into site.yaml beside this file (`python -m jobs init` begins one);
# it may hold any key and wins over this file. The environment wins over both: RECSYS_WEB__PORT=8080 sets web.port.
"""


class Setting(NamedTuple):
    """One key.

    Attributes:
        key: with its section, such as ``items.window``.
        default: JSON-ready.
        allowed: its values, in words.
        description: unit and reason.
    """

    key: str
    default: Any
    allowed: str
    description: str


def all_settings() -> Iterator[Setting]:
    """Every key, in the order of the sections."""
    schema = Settings.model_json_schema()
    defaults = plain(Settings.model_construct())
    for name, field in schema["properties"].items():
        section = schema["$defs"].get(field.get("$ref", "").rpartition("/")[2])
        if section is None:
            yield Setting(name, defaults[name], "folder", field["description"])
            continue
        for key, inner in section["properties"].items():
            yield Setting(f"{name}.{key}", defaults[name][key], _allowed(inner), inner["description"])


def keys_in(content: Mapping[str, Any]) -> list[str]:
    """The keys of a configuration file, with their sections."""
    keys: list[str] = []
    for name, value in content.items():
        keys += [f"{name}.{key}" for key in value] if isinstance(value, Mapping) else [name]
    return keys


def as_markdown(written: list[str]) -> str:
    """docs/settings.md.

    Args:
        written: keys that stand in config.yaml.
    """
    settings = list(all_settings())
    lines = [INTRODUCTION.format(written=len(written), advanced=len(settings) - len(written))]
    section = ""
    for setting in settings:
        before, _, key = setting.key.rpartition(".")
        if before != section or setting is settings[0]:
            section = before
            about = Settings.model_fields[section].annotation.__doc__ if section else "Where everything is written."
            lines += [f"\n## {section or 'data_dir'}\n\n{about}\n", HEADINGS, "|---|---|---|---|---|---|"]
        file = "config.yaml" if setting.key in written else ""
        cells = [f"`{key}`", f"`{_as_yaml(setting.default)}`", setting.allowed, setting.description, file]
        row = " | ".join(cell.replace("|", "·") for cell in [*cells, f"`{variable_of(setting.key)}`"])
        lines.append(f"| {row} |")
    return "\n".join(lines) + "\n"


def as_config(written: list[str]) -> str:
    """config.yaml with these keys, each with its default, and unit and reason beside it.

    Raises:
        ConfigError: there is no such key.
    """
    lines, section = [HEAD], ""
    settings = {setting.key: setting for setting in all_settings()}
    if unknown := [key for key in written if key not in settings]:
        remedy = f"Did you mean {' or '.join(nearest_key(unknown[0], settings)) or 'another section'}?"
        raise ConfigError("only known keys in the configuration file", repr(unknown[0]), remedy)
    for setting in (settings[key] for key in written):
        before, _, key = setting.key.rpartition(".")
        if before != section:
            section = before
            lines += ["", f"{section}:"]
        head = f"{'  ' if section else ''}{key}: {_as_yaml(setting.default)}"
        first, *others = textwrap.wrap(setting.description, WIDTH - COMMENT_COLUMN - 2, break_on_hyphens=False)
        if len(head) >= COMMENT_COLUMN:
            lines.append(head)
            head = ""
        lines += [f"{head:<{COMMENT_COLUMN}}# {first}", *(f"{'':{COMMENT_COLUMN}}# {line}" for line in others)]
    return "\n".join(lines) + "\n"


def _as_yaml(value: Any) -> str:
    if value == "":
        return '""'
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1_000_000)
    return text.removesuffix("...\n").strip()


def _allowed(schema: Mapping[str, Any]) -> str:
    """The values of a JSON schema, in words."""
    if "$ref" in schema:
        return "mapping"
    if "anyOf" in schema:
        return ", ".join(_allowed(each) for each in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return ", ".join(schema.get("enum") or [schema["const"]])
    if schema.get("type") == "array":
        each = schema.get("items") or schema["prefixItems"][0]
        count = len(schema.get("prefixItems", [])) or ""
        return f"list of {count} {_allowed(each)}".replace("  ", " ")
    if choice := PATTERN.fullmatch(schema.get("pattern", "")):
        return choice.group(1).replace("|", ", ")
    bounds = ", ".join(f"{sign} {schema[name]:,}" for name, sign in BOUNDS.items() if name in schema)
    return f"{TYPES[schema['type']]} {bounds}".strip()
