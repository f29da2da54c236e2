"""``python -m jobs report``: figures, curves, maps, examples and mistakes, as a few pages.

Reads the stages' artefacts, and what the previous release found of its click model; produces ``metrics.json``,
``gaps.json`` (what the site did not give), ``index.html`` and the pages that it leads to; the same in Chinese as
``index.zh.html`` and so on.
"""

from collections.abc import Mapping
from pathlib import Path

from jobs.inputs import clock_of
from jobs.previous import EVALUATION, previous_evaluation
from jobs.runner import GAPS, IMPORTS, ODD_READERS, Counts, Job, Stage
from recsys.evaluate.stage_files import evaluation
from recsys.quality.profile import DataProfile, ProfileInputs, profile_of
from recsys.quality.reading import logged_events
from recsys.report.chinese import Chinese
from recsys.report.click_model import Previous
from recsys.report.overview import release_gaps, report_pages
from recsys.report.page import render
from recsys.workspace import read_table, write_json

STAGE = Stage(
    "report",
    inputs=(
        *("events", "tokens", "words", "keywords", "articles", "categories", "tasks"),
        *("items", "features", "baselines", "ctr"),
    ),
    sections=("site",),
)


def run(job: Job) -> Counts:
    """Write the figures and the pages.

    Returns:
        Counts: pages, models judged.
    """
    folders = {stage: job.path(stage) for stage in STAGE.inputs}
    figures, note = evaluation(folders, job.seed)
    write_json(job.out / "metrics.json", {"figures": figures, "note": note})
    facts = {stage: job.context.workspace.record(stage).facts for stage in STAGE.inputs}
    previous = previous_evaluation(job.context.releases, folders["ctr"] / EVALUATION)
    data = _data(job, folders)
    gaps = release_gaps(data, facts, click_model=(folders["ctr"] / "model.json").is_file(), judged=bool(figures))
    write_json(job.out / GAPS, gaps)
    before = Previous(*previous) if previous else None
    composed = report_pages(folders, facts, figures, note, job.seed, data, gaps, before)
    pages = render(job.settings.site.name, composed) | render(job.settings.site.name, Chinese().pages(composed), "zh")
    for name, text in pages.items():
        (job.out / name).write_text(text, encoding="utf-8", errors="replace")  # half a surrogate pair is no text
    return {"pages": len(pages), "models": len(figures)}


def _data(job: Job, folders: Mapping[str, Path]) -> DataProfile:
    """Figures of what the log and the catalogue hold; imports that brought nothing new draw no page again."""
    events = folders["events"]
    read_as = read_table(folders["articles"] / "ids.parquet", ["language"])["language"].to_pylist()
    sources = ProfileInputs(
        logged_events(job.event_log),
        events / "articles.parquet",
        job.settings.data_dir / IMPORTS,
        job.settings.site.id,
        events / ODD_READERS,
        read_as,
    )
    return profile_of(sources, clock_of(job.settings))
