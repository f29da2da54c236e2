"""Train the tasks: label sets beside the categories.

Reads ``labels/`` in the data folder, which ``python -m jobs categories --labels FILE --task NAME`` fills, and the same
stages as the categories; produces a folder per task, and ``tasks.json``. Without labels there is nothing to do.
"""

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.runner import LABELS, Counts, Job, Stage
from recsys.articles import load_encoder
from recsys.categories.classification import save_categories
from recsys.categories.documents import load_corpus
from recsys.categories.tasks import SiteArticles, label_all, labelled_corpus, tasks_in
from recsys.categories.training import fit_categories
from recsys.classifiers.evaluation import add_texts, evaluate
from recsys.words import WordVectors
from recsys.workspace import write_json

STAGE = Stage(
    "tasks",
    inputs=("events", "tokens", "words", "keywords", "articles"),
    sections=("categories", "tokens", "keywords", "articles"),
    outside=(LABELS,),
)


def run(job: Job) -> Counts:
    """Train every task that has labels, and give every article its label.

    Returns:
        Counts: tasks, labelled rows, rows whose id the catalogue lacks.
    """
    tasks = tasks_in(job.settings.data_dir / LABELS)
    evaluated: list[dict[str, Any]] = []
    if tasks:
        corpus, ids, words = load_corpus(*map(job.path, STAGE.inputs))
        site = SiteArticles(job.path("events") / "articles.parquet", corpus._replace(given=[None] * len(ids)), ids)
        evaluated = [_task(job, name, labels, site, words) for name, labels in tasks.items()]
    write_json(job.out / "tasks.json", {"tasks": evaluated})
    rows = [task["rows"] for task in evaluated]
    return {"tasks": len(evaluated)} | {name: sum(row[name] for row in rows) for name in ("labelled", "unknown_ids")}


def _task(job: Job, name: str, labels: pa.Table, site: SiteArticles, words: WordVectors) -> dict[str, Any]:
    settings, folder = job.settings, job.out / name
    folder.mkdir()
    tokens, words_at, keywords, articles = map(job.path, ("tokens", "words", "keywords", "articles"))
    configs = settings.tokens, settings.keywords, settings.articles
    encoder = load_encoder(tokens, words_at, keywords, articles, *configs)
    with tempfile.TemporaryDirectory(dir=job.out) as scratch:
        corpus, texts, rows = labelled_corpus(labels, site, encoder, Path(scratch))
        model, left_out, fitted = fit_categories(corpus, words, settings.categories, job.seed)
        judged = evaluate(fitted, words, settings.categories, job.seed)
        add_texts(judged, texts)
    save_categories(model, folder)
    write_json(folder / "evaluation.json", judged)
    counts = label_all(model, site, labels, folder / "articles.parquet")
    figures = {
        language: {"articles": one["articles"], "model": one["best"], **one["models"][one["best"]]}
        for language, one in judged["languages"].items()
    }
    facts = {f"articles_{key}": count for key, count in counts.items()}
    facts |= {f"accuracy_{language}": one["accuracy"] for language, one in figures.items()}
    job.log.info("task", task=name, **rows, **left_out, **facts)
    if not model.labels:
        job.log.warning("no two labels with enough rows in any language", task=name, remedy="give more labelled rows")
    known = sorted({label.category for label in model.labels})
    return {"task": name, "labels": known, "languages": figures, "rows": rows | left_out, "articles": counts}
