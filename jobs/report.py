"""``python -m jobs report``: figures, curves, the map of the articles and keyword examples, as one page.

Reads the stages' artefacts; produces ``metrics.json`` and ``index.html``.
"""

from pathlib import Path

import numpy as np

from jobs.evaluate import judged
from jobs.runner import Counts, Job, Stage
from recsys.evaluate import FIGURES
from recsys.report.page import KeywordExample, Picture, ReportPage, render
from recsys.report.plots import bars, curves, vector_map
from recsys.workspace import load_npy, read_json, read_table, write_json

STAGE = Stage(
    "report",
    inputs=("events", "tokens", "words", "keywords", "articles", "categories", "items", "features", "ctr"),
    sections=("report", "evaluate", "site"),
)

MEASURED = ("seconds", "_second", "peak_mib", "new")  # other on every run; the page is the same for the same seed


def run(job: Job) -> Counts:
    """Write the figures and the page."""
    figures, note = judged(job.path("features"), job.path("ctr"), job.seed)
    pictures = _pictures(job, figures)
    examples = keyword_examples(job)
    write_json(job.out / "metrics.json", {"figures": figures, "note": note})
    ranked = {model: {name: values[name] for name in FIGURES} for model, values in figures.items()}
    page = ReportPage(f"{job.settings.site.name}: report", _counts(job), ranked, note, pictures, examples)
    (job.out / "index.html").write_text(render(page), encoding="utf-8")
    return {"pictures": len(pictures), "models": len(figures), "examples": len(examples)}


def _counts(job: Job) -> dict[str, dict[str, float]]:
    facts = {stage: job.context.workspace.record(stage).facts for stage in STAGE.inputs}
    return {
        stage: {name: value for name, value in counts.items() if not name.endswith(MEASURED)}
        for stage, counts in facts.items()
    }


def _pictures(job: Job, figures: dict[str, dict[str, float]]) -> list[Picture]:
    pictures: list[Picture] = []
    if figures:
        pictures.append(Picture("Ranking quality by model, impressions held out", bars(figures, FIGURES, "ctr"), True))
    words = read_json(job.path("words") / "training.json")
    if words["loss"]:
        loss = curves({"fit": words["loss"]}, "epoch", "loss per word")
        pictures.append(Picture("Word vectors: training loss by epoch", loss))
    ctr = read_json(job.path("ctr") / "training.json")
    if ctr["fit"]:
        lines = {"fit": ctr["fit"], "validation (later in time)": ctr["validation"]}
        loss = curves(lines, "epoch", "log loss", ctr["best_epoch"])
        pictures.append(Picture("Click model: loss by epoch", loss))
    if (picture := _map(job)) is not None:
        pictures.append(Picture("Article vectors on their two main axes, by category", picture, True))
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
