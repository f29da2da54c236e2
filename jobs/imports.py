"""``python -m jobs import FORMAT PATH``: articles and events of others into the store.

Reads a folder, a file or a feed's address; writes the store, and ``rejects/`` in the data folder for rows that cannot
be used.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.feed_polling import ended_by_signal, poll
from jobs.import_options import (
    EPILOG,
    AllowPrivate,
    Config,
    DryRun,
    DwellUnit,
    Encoding,
    Every,
    Language,
    Maps,
    NoHeader,
    Records,
    Site,
    TimeFormat,
    Timezone,
    UtcTimezone,
    What,
    reading,
)
from jobs.terminal import log, peak_mib, progress_bar, reset_peak_memory
from recsys.errors import ImportRefused
from recsys.imports import (
    ParseOptions,
    Summary,
    Target,
    import_adressa,
    import_ebnerd,
    import_feed,
    import_file,
    import_mind,
)
from recsys.imports.tables import Limits
from recsys.imports.target import Progress, RecordStatistics
from recsys.quality.closing import closing_lines
from recsys.quality.history import keep
from recsys.settings import Settings, load_settings
from recsys.store import Store
from recsys.units import now_ms

LOST = 0.1  # share of rejected rows from which an import is no success
_CACHE_MIB = 256  # SQLite pages in memory: indexes are filled at random places, and reading them back costs a quarter
MAX_REASONS = 3  # that its end names

app = typer.Typer(no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The folder")]
File = Annotated[Path, typer.Argument(help="The file; .gz, .bz2, .xz and .zst are recognised")]
FileOrFolder = Annotated[Path, typer.Argument(help="A file of events, or a folder of such files")]
Address = Annotated[str, typer.Argument(help="A file, or an http or https address")]


@app.command()
def mind(
    folder: Folder,
    site: Site = None,
    dry_run: DryRun = False,
    timezone: UtcTimezone = None,
    time_format: TimeFormat = None,
    language: Language = None,
    config: Config = None,
) -> None:
    """Import a folder in MIND's format (news.tsv, behaviors.tsv); its times are taken as UTC."""
    settings = load_settings(config)
    how = reading(settings, timezone, time_format, language, default_zone="UTC")
    run(settings, str(folder), site, dry_run, how, partial(import_mind, folder=folder))


@app.command()
def ebnerd(
    folder: Folder,
    site: Site = None,
    dry_run: DryRun = False,
    timezone: UtcTimezone = None,
    language: Language = None,
    config: Config = None,
) -> None:
    """Import a folder of EB-NeRD (articles, behaviors, history as Parquet); its times are taken as UTC."""
    settings = load_settings(config)
    how = reading(settings, timezone, language=language, default_zone="UTC")
    run(settings, str(folder), site, dry_run, how, partial(import_ebnerd, folder=folder))


@app.command()
def adressa(
    path: FileOrFolder, site: Site = None, dry_run: DryRun = False, language: Language = None, config: Config = None
) -> None:
    """Import Adressa's events, which describe their articles; views of front pages are left out."""
    settings = load_settings(config)
    how = reading(settings, language=language, default_zone="UTC")
    run(settings, str(path), site, dry_run, how, partial(import_adressa, path=path))


@app.command()
def feed(
    address: Address,
    site: Site = None,
    dry_run: DryRun = False,
    timezone: Timezone = None,
    language: Language = None,
    allow_private: AllowPrivate = False,
    every: Every = None,
    config: Config = None,
) -> None:
    """Import the articles of an RSS, Atom or JSON feed; run again, it asks only for what has changed."""
    settings = load_settings(config)
    importer = partial(import_feed, source=address, state=settings.data_dir / "feeds", allow_private=allow_private)
    how = reading(settings, timezone, language=language)
    if every is None:
        run(settings, address, site, dry_run, how, importer)
        return
    of_site = site or settings.site.id

    def read() -> Summary:
        return _imported(settings, of_site, dry_run, how, importer, lambda done, total: None)[0]

    def remember(summary: Summary) -> None:
        if not dry_run:
            keep(settings.data_dir / "imports", summary, address, of_site, now_ms())

    with ended_by_signal() as wait:
        poll(address, every, read, remember, wait)


@app.command(epilog=EPILOG)
def csv(
    file: File,
    map: Maps = None,
    kind: What = None,
    site: Site = None,
    dry_run: DryRun = False,
    encoding: Encoding = "utf-8",
    no_header: NoHeader = False,
    timezone: Timezone = None,
    time_format: TimeFormat = None,
    language: Language = None,
    dwell_unit: DwellUnit = "ms",
    config: Config = None,
) -> None:
    """Import a table in text: comma, tab, semicolon or bar between the values, names of the columns first."""
    settings = load_settings(config)
    how = reading(settings, timezone, time_format, language, dwell_unit)
    importer = partial(_file, file=file, format="csv", maps=map, kind=kind, encoding=encoding, has_header=not no_header)
    run(settings, str(file), site, dry_run, how, importer)


@app.command(epilog=EPILOG)
def jsonl(
    file: File,
    map: Maps = None,
    kind: What = None,
    site: Site = None,
    dry_run: DryRun = False,
    encoding: Encoding = "utf-8",
    records: Records = None,
    timezone: Timezone = None,
    time_format: TimeFormat = None,
    language: Language = None,
    dwell_unit: DwellUnit = "ms",
    config: Config = None,
) -> None:
    """Import JSON objects: one per line, an array, or a list inside a wrapper object."""
    settings = load_settings(config)
    how = reading(settings, timezone, time_format, language, dwell_unit)
    importer = partial(_file, file=file, format="jsonl", maps=map, kind=kind, encoding=encoding, records=records)
    run(settings, str(file), site, dry_run, how, importer)


@app.command(epilog=EPILOG)
def parquet(
    file: File,
    map: Maps = None,
    kind: What = None,
    site: Site = None,
    dry_run: DryRun = False,
    timezone: Timezone = None,
    time_format: TimeFormat = None,
    language: Language = None,
    dwell_unit: DwellUnit = "ms",
    config: Config = None,
) -> None:
    """Import a Parquet file."""
    settings = load_settings(config)
    how = reading(settings, timezone, time_format, language, dwell_unit)
    run(settings, str(file), site, dry_run, how, partial(_file, file=file, format="parquet", maps=map, kind=kind))


def _file(target: Target, *, file: Path, format: str, maps: list[str] | None, **options: Any) -> Summary:
    return import_file(target, file, format, maps or (), **options)


def run(
    settings: Settings,
    source: str,
    site: str | None,
    dry_run: bool,
    how: ParseOptions,
    import_it: Callable[[Target], Summary],
) -> Summary:
    """Do one import: a start line, a bar on a terminal, an end line.

    Args:
        settings: the configuration.
        source: what is imported: a path or an address.
        site: instead of ``site.id``.
        dry_run: write nothing but the rejects.
        how: values are read that do not say it themselves.
        import_it: the importer.

    Raises:
        ImportRefused: the file cannot be used, or more than a tenth of its rows was rejected; the others are stored.
    """
    log.info("start", job="import", path=source, dry_run=dry_run)
    reset_peak_memory()
    site = site or settings.site.id
    with _progress(Path(source).name) as progress:
        summary, statistics = _imported(settings, site, dry_run, how, import_it, progress)
    log.info("done", job="import", **_facts(summary))
    if not dry_run:
        keep(settings.data_dir / "imports", summary, source, site, now_ms())
    for line in closing_lines(summary, statistics, settings.site.timezone):
        typer.echo(line)
    _refuse_losses(summary)
    return summary


def _imported(
    settings: Settings,
    site: str,
    dry_run: bool,
    how: ParseOptions,
    import_it: Callable[[Target], Summary],
    progress: Progress,
) -> tuple[Summary, RecordStatistics]:
    """Open the store, do one import, close it again."""
    store = Store.open(settings.database_url, settings.store, _CACHE_MIB)
    try:
        target = Target(store, site, settings.data_dir / "rejects", Limits(), dry_run, progress, how)
        return import_it(target), target.statistics
    finally:
        store.close()


def _refuse_losses(summary: Summary) -> None:
    """Refuse to call an import a success that lost a whole file, or more than a tenth of its rows."""
    if not summary.lost and summary.rejected <= LOST * summary.read:
        return
    reasons = "; ".join(f"{reason}: {count:,}" for reason, count in list(summary.reasons.items())[:MAX_REASONS])
    lost = f"all of {' and '.join(summary.lost)}, in all " if summary.lost else ""
    what = "could be stored" if summary.dry_run else "are stored"
    raise ImportRefused(
        "at most a tenth of the rows rejected",
        f"{lost}{summary.rejected:,} of {summary.read:,} rejected ({reasons}). First: {summary.first_reason}",
        f"The other rows {what}. Each rejected row with its reason: {summary.rejects}. Correct them, or --map and the"
        " other options (--help), and import again: what is there already is not doubled.",
    )


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
