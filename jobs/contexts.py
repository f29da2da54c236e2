"""Contexts of commands: the options that all share -> the settings and the seed of one invocation."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.runner import Context
from jobs.terminal import configure_logging
from recsys.settings import load_settings

Config = Annotated[
    Path | None, typer.Option(help="Configuration file; default: $RECSYS_CONFIG, else config.yaml and site.yaml here")
]


def context_of(config: Path | None, seed: int | None, fresh: bool = False) -> Context:
    """Read the settings for one invocation."""
    settings = load_settings(config)
    configure_logging(settings.logs.form)
    return Context(settings, settings.jobs.seed if seed is None else seed, fresh)
