"""``python -m jobs experiment NAME``: what readers of each arm did, beside the control.

Reads the store, and the robots that the stage ``events`` found; prints a table, or one JSON object. Experiments are
begun and stopped over the admin API.
"""

import json

import pandas as pd
import typer

from jobs.runner import ODD_READERS, Context, opened_store
from recsys.experiments.report import ExperimentReport, report_of
from recsys.store import StoredExperiment
from recsys.units import now_ms
from recsys.workspace import read_table


def command(context: Context, name: str | None, *, as_json: bool) -> None:
    """Print a report, or the list.

    Raises:
        UnknownName: there is none of that name.
    """
    settings = context.settings
    with opened_store(context) as store:
        if name is None:
            _print_list(store.experiments(settings.site.id), as_json=as_json)
            return
        experiment = store.experiment(settings.site.id, name)
        report = report_of(store, experiment, settings.recommend, now_ms(), odd_readers_of(context))
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
        return
    state = "runs" if experiment.stopped_at is None else "stopped"
    typer.echo(f"{name}: {state}; readers count after {experiment.window_days} days\n")
    typer.echo(_arms(experiment, report).to_string(justify="left"))
    typer.echo(f"\nSample ratio: p = {report.sample_ratio:.3g}. {report.broken and f'BROKEN: {report.broken}.'}")
    if report.effects:
        typer.echo(f"\n{_effects(report).to_string(justify='left', index=False)}")


def odd_readers_of(context: Context) -> frozenset[str]:
    """Readers who are no people; nobody before the log was read."""
    file = context.workspace.root / "events" / ODD_READERS
    return frozenset(read_table(file, columns=["reader"])["reader"].drop_null().to_pylist() if file.is_file() else ())


def _print_list(experiments: list[StoredExperiment], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([{**one._asdict(), "arms": [arm._asdict() for arm in one.arms]} for one in experiments]))
        return
    for one in experiments:
        state = "runs" if one.stopped_at is None else "stopped"
        typer.echo(f"{state:7}  {one.name}  {', '.join(f'{arm.name} {arm.share:.0%}' for arm in one.arms)}")


def _arms(experiment: StoredExperiment, report: ExperimentReport) -> pd.DataFrame:
    rows = [
        (
            f"{arm.share:.0%}",
            json.dumps(arm.settings),
            *(part[arm.name] for part in (report.exposed, report.measured, report.shown)),
        )
        for arm in experiment.arms
    ]
    columns = ["share", "settings", "readers", "counted", "articles shown"]
    return pd.DataFrame(rows, index=[arm.name for arm in experiment.arms], columns=columns)


def _effects(report: ExperimentReport) -> pd.DataFrame:
    """A row for each measure and arm."""
    rows = []
    for one in report.effects:
        said = "worse: GUARDRAIL" if one.breach else "differs" if one.effect.excludes_zero else ""
        interval = f"{one.effect.low:+.4g} to {one.effect.high:+.4g}"
        figures = (f"{one.control:.4g}", f"{one.treatment:.4g}", f"{one.effect.mean:+.4g}", interval)
        rows.append((one.measure, one.arm, *figures, f"{one.variance_kept:.0%}", said))
    columns = ["measure", "arm", "control", "arm's", "difference", "at every look", "variance kept", ""]
    return pd.DataFrame(rows, columns=columns)
