"""``python -m jobs report``: figures, curves, maps, examples and mistakes, as a few pages.

Reads the stages' artefacts; produces ``metrics.json``, ``index.html`` and the pages that it leads to.
"""

from jobs.evaluate import judged
from jobs.runner import Counts, Job, Stage
from recsys.report.compose import compose
from recsys.report.page import render
from recsys.workspace import write_json

STAGE = Stage(
    "report",
    inputs=(
        *("events", "tokens", "words", "keywords", "articles", "categories", "tasks"),
        *("items", "features", "baselines", "ctr"),
    ),
    sections=("report", "evaluate", "site"),
)


def run(job: Job) -> Counts:
    """Write the figures and the pages.

    Returns:
        Counts: pages, models judged.
    """
    folders = {stage: job.path(stage) for stage in STAGE.inputs}
    figures, note = judged(folders, job.seed)
    write_json(job.out / "metrics.json", {"figures": figures, "note": note})
    facts = {stage: job.context.workspace.record(stage).facts for stage in STAGE.inputs}
    pages = render(job.settings.site.name, compose(folders, facts, figures, note, job.settings.report, job.seed))
    for name, text in pages.items():
        (job.out / name).write_text(text, encoding="utf-8", errors="replace")  # half a surrogate pair is no text
    return {"pages": len(pages), "models": len(figures)}
