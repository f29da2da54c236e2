"""The commands of runs and schedules, by name."""

from typing import Annotated

import typer

from jobs.contexts import Config, context_of
from jobs.stages import command_of
from recsys.runs.commands import IMPORTED

PANEL = "Runs and schedules"

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def worker(config: Config = None) -> None:
    """Take queued runs, one at a time, and keep the schedules, until it is told to end."""
    command_of("worker", "work")(context_of(config, None))


@app.command(rich_help_panel=PANEL)
def queue(
    job: Annotated[str, typer.Argument(help="all, publish, or a stage's name")],
    config: Config = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all randomness; default: jobs.seed")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make it anew even if nothing has changed")] = False,
) -> None:
    """Queue a run for a worker instead of doing it here."""
    params = {} if seed is None else {"seed": seed}
    command_of("worker", "queue")(context_of(config, None), job, params | ({"fresh": True} if fresh else {}))


@app.command(IMPORTED, hidden=True)
def queued_import(run_id: Annotated[str, typer.Option()], config: Config = None) -> None:
    """Do the import that a run's row describes."""
    command_of("queued_import")(context_of(config, None), run_id, config)


@app.command(rich_help_panel=PANEL)
def runs(
    config: Config = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first")] = 20,
) -> None:
    """List the runs: what each was, how it ended, what it took."""
    command_of("worker", "show_runs")(context_of(config, None), last)


@app.command(rich_help_panel=PANEL)
def cancel(run: Annotated[str, typer.Argument(help="The run's id, or its beginning")], config: Config = None) -> None:
    """End a run: one that waits at once, one that goes on within some seconds; what was made before stays."""
    command_of("worker", "cancel")(context_of(config, None), run)


@app.command(rich_help_panel=PANEL)
def schedule(
    name: Annotated[str, typer.Argument(help="Its name; one of that name is replaced")],
    job: Annotated[str, typer.Option(help="all, publish, or a stage's name")],
    cron: Annotated[str, typer.Option(help="Minute, hour, day of the month, month, day of the week")],
    timezone: Annotated[str | None, typer.Option(help="In which they are meant; default: site.timezone")] = None,
    jitter: Annotated[int, typer.Option(min=0, max=3_600, help="Seconds by which each is put off at most")] = 0,
    paused: Annotated[bool, typer.Option("--paused", help="Keep it, and do not follow it")] = False,
    config: Config = None,
) -> None:
    """Let a job begin by itself at certain times."""
    command_of("worker", "set_schedule")(context_of(config, None), name, job, cron, timezone, jitter, paused=paused)


@app.command(rich_help_panel=PANEL)
def unschedule(name: Annotated[str, typer.Argument(help="Its name")], config: Config = None) -> None:
    """Remove a schedule; one of the configuration comes back when the next worker starts."""
    command_of("worker", "remove_schedule")(context_of(config, None), name)


@app.command(rich_help_panel=PANEL)
def schedules(config: Config = None) -> None:
    """List the schedules, and when each is due."""
    command_of("worker", "show_schedules")(context_of(config, None))
