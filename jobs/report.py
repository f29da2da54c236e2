"""``python -m jobs report``: figures, curves, the map of the articles and keyword examples, as one page.

Reads the stages' artefacts; produces ``metrics.json`` and ``index.html``.
"""

from pathlib import Path

import numpy as np

from jobs.evaluate import judged
from jobs.runner import Counts, Job, Stage
from recsys.report.page import KeywordExample, ReportPage, render
from recsys.report.plots import bars, curves, vector_map
from recsys.workspace import load_npy, read_json, read_table, write_json

STAGE = Stage(
    "report",
    inputs=("events", "tokens", "words", "keywords", "articles", "categories", "items", "features", "ctr"),
    sections=("report", "evaluate", "site"),
)


def run(job: Job) -> Counts:
    """Write the figures and the page."""
    figures, note = judged(job.path("features"), job.path("ctr"), job.seed)
    pictures = _pictures(job, figures)
    examples = keyword_examples(job)
    write_json(job.out / "metrics.json", {"figures": figures, "note": note})
    page = ReportPage(f"{job.settings.site.name}: report", _counts(job), figures, note, pictures, examples)
    (job.out / "index.html").write_text(render(page), encoding="utf-8")
    return {"pictures": len(pictures), "models": len(figures), "examples": len(examples)}


def _counts(job: Job) -> dict[str, str]:
    facts = {stage: job.context.workspace.record(stage).facts for stage in STAGE.inputs}
    return {
        f"{stage}: {name.replace('_', ' ')}": f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"
        for stage, counts in facts.items()
        for name, value in counts.items()
        if name not in ("seconds", "peak_mib")
    }


def _pictures(job: Job, figures: dict[str, dict[str, float]]) -> dict[str, str]:
    pictures: dict[str, str] = {}
    if figures:
        pictures["Ranking quality by model, impressions held out"] = bars(
            figures, ["auc", "mrr", "ndcg@5", "ndcg@10"], "ctr"
        )
    words = read_json(job.path("words") / "training.json")
    pictures["Word vectors: training loss by epoch"] = curves({"fit": words["loss"]}, "epoch", "loss per word")
    ctr = read_json(job.path("ctr") / "training.json")
    if ctr["fit"]:
        lines = {"fit": ctr["fit"], "validation (later in time)": ctr["validation"]}
        pictures["Click model: loss by epoch"] = curves(lines, "epoch", "log loss", ctr["best_epoch"])
    if (picture := _map(job)) is not None:
        pictures["Article vectors on their two main axes, by category"] = picture
    return pictures


def _map(job: Job) -> str | None:
    vectors = load_npy(job.path("articles") / "vectors.npy")
    labels = read_table(job.path("categories") / "articles.parquet", ["category"])["category"].to_pylist()
    known = np.flatnonzero(np.isfinite(vectors).all(axis=1)) if len(vectors) else np.array([], dtype=np.int64)
    if len(known) < 3:
        return None
    rng = np.random.default_rng(job.seed)
    chosen = np.sort(rng.permutation(known)[: job.settings.report.map_articles])
    return vector_map(vectors[chosen], [labels[row] or "" for row in chosen])


def keyword_examples(job: Job) -> list[KeywordExample]:
    """A few articles of every language, evenly spread, with their keywords."""
    titles = _column(job.path("events") / "articles.parquet", "title")
    languages = _column(job.path("tokens") / "articles.parquet", "language")
    categories = _column(job.path("categories") / "articles.parquet", "category")
    table = read_table(job.path("keywords") / "keywords.parquet").to_pylist()
    rows = [row for row in table if row["keywords"]]
    by_language = {name: [row for row in rows if languages[row["id"]] == name] for name in ("zh", "en", "other")}
    share = -(-job.settings.report.examples // max(1, sum(bool(rows) for rows in by_language.values())))
    chosen = [row for rows in by_language.values() for row in rows[:: max(1, len(rows) // share)][:share]]
    return [
        KeywordExample(
            titles[row["id"]] or row["id"],
            languages[row["id"]],
            categories[row["id"]],
            list(zip(row["keywords"], row["weights"], strict=True))[:8],
        )
        for row in chosen[: job.settings.report.examples]
    ]


def _column(file: Path, name: str) -> dict[str, str]:
    table = read_table(file, ["id", name]).to_pydict()
    return dict(zip(table["id"], table[name], strict=True))
