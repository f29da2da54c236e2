"""Give every article a category.

Reads the given categories from the events stage's catalogue, and ``articles/``; produces
``categories/articles.parquet``, and the means and frames for articles that come later.
"""

import numpy as np

from jobs.runner import Counts, Job, Stage
from recsys.categories import assign_all, fit, save_assigned, save_categories
from recsys.errors import StaleArtefact
from recsys.workspace import load_npy, read_json, read_table

STAGE = Stage("categories", inputs=("events", "articles"), sections=("categories",))


def run(job: Job) -> Counts:
    """Learn the means from the articles that came with a category; put the others where they are nearest.

    Returns:
        Counts: articles, categories with a mean, articles that came with one, that were given one, that have none.

    Raises:
        StaleArtefact: the vectors were made from another catalogue.
    """
    catalogue = read_table(job.path("events") / "articles.parquet", columns=["id", "category"])
    folder = job.path("articles")
    table = read_table(folder / "ids.parquet")
    ids, languages = table["id"].to_pylist(), table["language"].to_pylist()
    if catalogue["id"].to_pylist() != ids:
        raise StaleArtefact("vectors of the articles in events", "other articles", "Run: python -m jobs all")
    vectors, given = load_npy(folder / "vectors.npy"), catalogue["category"].to_pylist()
    space = read_json(folder / "space.json")["space"]
    model = fit(vectors, given, languages, space, job.settings.categories)
    if not model.labels:
        job.log.info("no two categories with enough articles in any language: the others stay without one")
    assigned = assign_all(model, vectors, given, languages)
    came_with = np.array([bool(category) for category in given], dtype=bool)
    save_categories(model, job.out)
    save_assigned(ids, assigned, came_with, job.out)
    without = sum(row.category is None for row in assigned)
    return {
        "articles": len(ids),
        "categories": len(model.labels),
        "given": int(came_with.sum()),
        "assigned": len(ids) - int(came_with.sum()) - without,
        "without": without,
    }
