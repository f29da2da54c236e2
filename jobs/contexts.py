"""Contexts of commands: the options that all share -> the settings and the seed of one invocation."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.runner import Context
from jobs.stages import cluster_at
from jobs.terminal import configure_logging
from recsys.settings import load_settings

Config = Annotated[
    Path | None, typer.Option(help="Configuration file; default: $RECSYS_CONFIG, else config.yaml and site.yaml here")
]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        envvar="RAY_ADDRESS",
        help="Work on batches of articles in the Ray cluster whose head this is, or auto; with the same bytes",
    ),
]


def context_of(config: Path | None, seed: int | None, fresh: bool = False, cluster: str | None = None) -> Context:
    """Read the settings for one invocation, and connect to a cluster if there is an address of one."""
    settings = load_settings(config)
    configure_logging(settings.logs.form)
    seed = settings.jobs.seed if seed is None else seed
    return Context(settings, seed, fresh, cluster=cluster_at(cluster))
