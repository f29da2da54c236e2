"""Give every article a category.

Reads the given categories from the events stage's catalogue, ``tokens/``, ``words/``, ``keywords/`` and ``articles/``;
produces ``categories/articles.parquet``, the classifiers for articles that come later, and ``evaluation.json``.
"""

from jobs.runner import Counts, Job, Stage
from recsys.categories.classification import assign_all, assigning, save_assigned, save_categories
from recsys.categories.documents import load_corpus
from recsys.categories.training import fit_categories
from recsys.classifiers.evaluation import add_texts, evaluate
from recsys.workspace import write_json

STAGE = Stage("categories", inputs=("events", "tokens", "words", "keywords", "articles"), sections=("categories",))


def run(job: Job) -> Counts:
    """Learn from the articles that came with a category; put the others where they fit best.

    Returns:
        Counts: articles, categories that were learned, articles that came with one, that got one, whose best guess is
        too uncertain, that have none; and of those that came with one, how many could not be learned from, by reason.
    """
    corpus, ids, words = load_corpus(*map(job.path, STAGE.inputs))
    given = corpus.given
    model, left_out, fitted = fit_categories(corpus, words, job.settings.categories, job.seed)
    if not model.labels:
        job.log.info("no two categories with enough articles in any language: the others stay without one")
    save_categories(model, job.out)
    assigned = assign_all(model, corpus, job.mapped(assigning(job.out)))
    judged = evaluate(fitted, words, job.settings.categories, job.seed)
    add_texts(judged, job.path("events") / "articles.parquet")
    write_json(job.out / "evaluation.json", judged)
    save_assigned(ids, assigned, given, job.out)
    came_with, uncertain = sum(map(bool, given)), sum(row.uncertain for row in assigned)
    without = sum(row.category is None for row in assigned) - uncertain
    return {
        "articles": len(ids),
        "categories": len(model.labels),
        "given": came_with,
        "assigned": len(ids) - came_with - uncertain - without,
        "uncertain": uncertain,
        "without": without,
        **left_out,
    }
