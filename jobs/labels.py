"""``python -m jobs categories --labels FILE --task NAME``: labels of others into the data folder.

Reads a file of labelled rows; produces ``labels/<task>.parquet`` in the data folder, which the stage ``tasks`` learns
from, tonight and every night until that file is removed.
"""

from pathlib import Path

from jobs.runner import LABELS, Context
from jobs.terminal import log
from recsys.categories.config import MIN_ARTICLES
from recsys.categories.labels import read_labels, save_labels
from recsys.errors import InputError, UnknownArticle
from recsys.workspace import read_table


def take_over(context: Context, file: Path | None, task: str | None, encoding: str) -> None:
    """Read a file of labels and keep it for the stage.

    Raises:
        InputError: only one of the two is given; see also ``read_labels``.
        UnknownArticle: all rows name articles, and the catalogue has none of them.
    """
    if file is None or task is None:
        got = "only --task" if file is None else "only --labels"
        raise InputError("--labels FILE and --task NAME together", got, "Give both, or none to sort into categories.")
    table, counts = read_labels(file, task, encoding, MIN_ARTICLES)
    ids = set(table["id"].to_pylist())
    catalogue_ids = read_table(context.workspace.verified("events") / "articles.parquet", ["id"])["id"].to_pylist()
    if None not in ids and not ids & set(catalogue_ids):
        got = f"{min(ids)!r} and {len(ids) - 1} others that are not in it, from {file.name}"
        raise UnknownArticle("ids of articles in the catalogue", got, "Import the articles, then: python -m jobs all")
    save_labels(table, task, context.settings.data_dir / LABELS)
    log.info("labels", task=task, **counts)
