"""``python -m jobs data``: what came in, what is missing in it, and what was odd.

Reads the event log with what the store has beyond it, the catalogue and the records of past imports; prints a summary,
or with ``--json`` one JSON object, and with ``--page FILE`` writes the report's page. Writes nothing else, and needs no
stage to have been made.
"""

import json
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from jobs.inputs import clock_of
from jobs.runner import IMPORTS, ODD_READERS, Context, open_store
from jobs.terminal import log
from recsys.events.catalogue import write_catalogue
from recsys.quality.profile import DataProfile, ProfileInputs, profile_of
from recsys.quality.reading import all_events
from recsys.quality.summary import lines
from recsys.report.data import data_page
from recsys.report.page import render
from recsys.workspace import read_table


def profiled(context: Context) -> DataProfile:
    """Count what the store holds now."""
    settings = context.settings
    store = open_store(settings)
    try:
        with tempfile.TemporaryDirectory() as folder:
            catalogue = Path(folder) / "articles.parquet"
            write_catalogue(store.articles(settings.site.id), catalogue)
            events = all_events(context.event_log, store, settings.site.id)
            odd = context.workspace.root / "events" / ODD_READERS
            cut = context.workspace.root / "articles" / "ids.parquet"
            read_as = read_table(cut, ["language"])["language"].to_pylist() if cut.is_file() else []
            sources = ProfileInputs(events, catalogue, settings.data_dir / IMPORTS, settings.site.id, odd, read_as)
            return profile_of(sources, clock_of(settings))
    finally:
        store.close()


def command(context: Context, *, as_json: bool, page: Path | None) -> None:
    """Print the figures, and write the page if one is asked for."""
    profile = profiled(context)
    if page is not None:
        pages = render(context.settings.site.name, [data_page(profile)])
        page.write_text(pages["data.html"], encoding="utf-8", errors="replace")
        log.info("written", job="data", page=str(page))
    if as_json:
        print(json.dumps(profile.plain(), sort_keys=True))
        return
    shown = Table.grid(padding=(0, 3))
    shown.add_column(style="bold", no_wrap=True)
    for name, text in lines(profile):
        shown.add_row(name, text)
    Console(highlight=False).print(shown)
