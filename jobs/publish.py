"""``python -m jobs publish|rollback|releases``: what the service serves.

Reads the workspace's finished stages; produces a release, or makes an older one live again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import typer

from jobs.runner import Context
from jobs.runs import run_facts
from jobs.terminal import log
from recsys import __version__
from recsys.config import plain
from recsys.releases import Releases
from recsys.store import Run


def releases_of(context: Context) -> Releases:
    """The releases below the data folder."""
    return Releases(context.settings.data_dir / "releases", context.settings.releases)


def publish(context: Context, stages: Sequence[str], run: Run) -> str:
    """Make a release of the stages and make it live.

    Returns:
        The release's name.
    """
    settings = plain(context.settings)
    settings.pop("data_dir")
    settings["store"].pop("url")  # it may hold a password
    facts = {"code_version": __version__, "seed": context.seed, "config": settings, "run": run.id}
    releases = releases_of(context)
    before = releases.current()
    name = releases.publish(context.workspace, list(stages), facts)
    run_facts(context, run, release=name)
    log.info("unchanged since" if name == before else "published", release=name, parent=before)
    return name


def rollback(context: Context) -> str:
    """Make the release before the live one live again.

    Returns:
        Its name.
    """
    releases = releases_of(context)
    before = releases.current()
    name = releases.rollback()
    log.info("rolled back", release=name, before=before)
    return name


def show(context: Context) -> None:
    """Print the releases, newest first, the live one marked."""
    releases = releases_of(context)
    names = releases.names()
    if not names:
        log.info("no releases yet", remedy="Run: python -m jobs all")
        return
    typer.echo(f"{'':4}  {'release':21}  {'made (UTC)':19}  {'files':>5}  {'MiB':>7}  parent")
    for name in reversed(names):
        manifest = releases.manifest(name)
        made = datetime.fromtimestamp(manifest["created_at"] / 1000, UTC)
        mebibytes = sum(file["bytes"] for file in manifest["files"].values()) / 2**20
        mark, files = "live" if name == releases.current() else "", len(manifest["files"])
        typer.echo(
            f"{mark:4}  {name:21}  {made:%Y-%m-%d %H:%M:%S}  {files:5}  {mebibytes:7.1f}  {manifest['parent'] or '-'}"
        )
