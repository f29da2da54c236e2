"""``python -m jobs report``: figures, curves, the map of the articles and keyword examples, as one page.

Reads the stages' artefacts; produces ``metrics.json`` and ``index.html``.
"""

from jobs.evaluate import judged
from jobs.runner import Counts, Job, Stage
from recsys.report.compose import compose
from recsys.report.page import render
from recsys.workspace import write_json

STAGE = Stage(
    "report",
    inputs=("events", "tokens", "words", "keywords", "articles", "categories", "items", "features", "ctr"),
    sections=("report", "evaluate", "site"),
)


def run(job: Job) -> Counts:
    """Write the figures and the page.

    Returns:
        Counts: pictures, models judged, keyword examples.
    """
    figures, note = judged(job.path("events"), job.path("features"), job.path("ctr"), job.seed)
    write_json(job.out / "metrics.json", {"figures": figures, "note": note})
    folders = {stage: job.path(stage) for stage in STAGE.inputs}
    facts = {stage: job.context.workspace.record(stage).facts for stage in STAGE.inputs}
    title = f"{job.settings.site.name}: report"
    page = compose(title, folders, facts, figures, note, job.settings.report, job.seed)
    (job.out / "index.html").write_text(render(page), encoding="utf-8")
    return {"pictures": len(page.pictures), "models": len(figures), "examples": len(page.examples)}
