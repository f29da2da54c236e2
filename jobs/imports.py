"""``python -m jobs import mind|csv|jsonl|parquet PATH``: articles and events of others into the store.

Reads a folder or a file; writes the store, and ``rejects/`` in the data folder for rows that cannot be used.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from jobs.terminal import log, now_ms, peak_mib, progress_bar, reset_peak_memory
from recsys.errors import ImportRefused
from recsys.imports import Reading, Summary, Target, import_file, import_mind
from recsys.imports.mapping import ARTICLE_FIELDS, CONTEXT, EVENT_FIELDS
from recsys.quality.closing import closing_lines
from recsys.quality.history import keep
from recsys.settings import Settings, load_settings
from recsys.store import Store

EPILOG = "\n\n".join(
    (
        f"An article has: {', '.join(ARTICLE_FIELDS)}. Only the title is needed; without an id, the address or "
        "title and date make one. Fields that a file does not have stay as they are.",
        f"An event has: {', '.join(EVENT_FIELDS)}, or {CONTEXT}NAME for a part of the context. Only kind and article "
        "are needed; in a file of clicks only article. article=@COLUMN finds articles by their addresses.",
        "A column with a field's own name needs no --map. Times are read in every common form; without a zone they are "
        "of the site's (site.timezone).",
        "For example: --map reader=user_id,article=story,time=clicked_at,kind=:click",
    )
)
app = typer.Typer(no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Folder with news.tsv and behaviors.tsv")]
File = Annotated[Path, typer.Argument(help="The file; .gz, .bz2, .xz and .zst are recognised")]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", help="field=column or field=:constant, several with commas between; see below"),
]
What = Annotated[
    str | None, typer.Option("--kind", help="articles, events or clicks; default: what the columns can fill")
]
Site = Annotated[str | None, typer.Option(help="The site that the records belong to; default: site.id")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and write only the rejects")]
Encoding = Annotated[str, typer.Option(help="Of a text file without a byte order mark")]
NoHeader = Annotated[bool, typer.Option("--no-header", help="The columns have no names: count, as in title=5")]
Records = Annotated[str | None, typer.Option(help="Where the list is inside a wrapper object: articles, or data.items")]
Config = Annotated[Path | None, typer.Option(help="Configuration file; default: $RECSYS_CONFIG, else ./config.yaml")]


@app.command()
def mind(folder: Folder, site: Site = None, dry_run: DryRun = False, config: Config = None) -> None:
    """Import a folder in MIND's format; its times are taken as UTC."""
    run(load_settings(config), folder, site, dry_run, import_mind)


@app.command(epilog=EPILOG)
def csv(
    file: File,
    map: Maps = None,
    kind: What = None,
    site: Site = None,
    dry_run: DryRun = False,
    encoding: Encoding = "utf-8",
    no_header: NoHeader = False,
    config: Config = None,
) -> None:
    """Import a table in text: comma, tab, semicolon or bar between the values, names of the columns first."""
    importer = partial(
        import_file, format="csv", maps=map or (), kind=kind, encoding=encoding, has_header=not no_header
    )
    run(load_settings(config), file, site, dry_run, importer)


@app.command(epilog=EPILOG)
def jsonl(
    file: File,
    map: Maps = None,
    kind: What = None,
    site: Site = None,
    dry_run: DryRun = False,
    encoding: Encoding = "utf-8",
    records: Records = None,
    config: Config = None,
) -> None:
    """Import JSON objects: one per line, an array, or a list inside a wrapper object."""
    importer = partial(import_file, format="jsonl", maps=map or (), kind=kind, encoding=encoding, records=records)
    run(load_settings(config), file, site, dry_run, importer)


@app.command(epilog=EPILOG)
def parquet(
    file: File, map: Maps = None, kind: What = None, site: Site = None, dry_run: DryRun = False, config: Config = None
) -> None:
    """Import a Parquet file."""
    importer = partial(import_file, format="parquet", maps=map or (), kind=kind)
    run(load_settings(config), file, site, dry_run, importer)


def run(
    settings: Settings, path: Path, site: str | None, dry_run: bool, import_it: Callable[[Target, Path], Summary]
) -> Summary:
    """Do one import: a start line, a bar on a terminal, an end line.

    Args:
        settings: the configuration.
        path: what is imported.
        site: instead of ``site.id``.
        dry_run: write nothing but the rejects.
        import_it: the importer.

    Raises:
        ImportRefused: the file cannot be used, or none of its rows can.
    """
    log.info("start", job="import", path=str(path), dry_run=dry_run)
    reset_peak_memory()
    store = Store.open(
        settings.database_url, settings.store.model_copy(update={"cache_mib": settings.imports.cache_mib})
    )
    try:
        with _progress(path.name) as progress:
            target = Target(
                store,
                site or settings.site.id,
                settings.data_dir / "rejects",
                settings.imports,
                dry_run,
                progress,
                Reading(zone=ZoneInfo(settings.site.timezone), base_url=settings.site.base_url),
            )
            summary = import_it(target, path)
    finally:
        store.close()
    log.info("done", job="import", **_facts(summary))
    if not dry_run:
        keep(settings.data_dir / "imports", summary, str(path), site or settings.site.id, now_ms())
    for line in closing_lines(summary, target.seen, settings.site.timezone):
        typer.echo(line)
    if summary.read and summary.rejected == summary.read:
        raise ImportRefused(
            "at least one row that can be used", summary.first_reason, f"All of them, with reasons: {summary.rejects}"
        )
    return summary


def _facts(summary: Summary) -> dict[str, Any]:
    rejects = {"first_reject": summary.first_reason, "rejects": str(summary.rejects)} if summary.rejects else {}
    return {
        "dry_run": summary.dry_run,
        "records": summary.records,
        **({"map": summary.mapping} if summary.mapping else {}),
        "rows": summary.read,
        "stored": summary.stored,
        "updated": summary.updated,
        "duplicate": summary.duplicate,
        "rejected": summary.rejected,
        **{name: count for name in ("reasons", "repaired", "left_out", "changed") if (count := getattr(summary, name))},
        "seconds": round(summary.seconds, 2),
        "rows_per_second": round(summary.rows_per_second),
        "peak_mib": peak_mib(),
        **rejects,
    }


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    with progress_bar() as bar:
        task = bar.add_task(name)
        yield lambda done, total: bar.update(task, completed=done, total=total)
