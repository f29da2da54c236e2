"""The list of all settings, as docs/settings.md and config.yaml hold it."""

from pathlib import Path

import typer
import yaml

from recsys.settings import CONFIG_FILE
from recsys.settings.reference import as_config, as_markdown, keys_in


def command(*, as_yaml: bool, config: Path | None) -> None:
    """Print every setting, or the file of those that a site decides.

    Args:
        as_yaml: print the keys of the configuration file, each with its default, instead of the whole list.
        config: the file whose keys those are; None: ``config.yaml``.
    """
    content = yaml.safe_load((config or CONFIG_FILE).read_text(encoding="utf-8"))
    keys = keys_in(content)
    typer.echo(as_config(keys) if as_yaml else as_markdown(keys), nl=False)
