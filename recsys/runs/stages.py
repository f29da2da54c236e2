"""The stages of training, in order: the one list that jobs, web, make and the tests go by.

A release carries of each stage the files that are served and no other: the rows of the click model, the corpus, the
tokens and the baselines stay in the workspace. Served are also the few that the next training goes on from, so that
it goes on from what readers see, and not from what the workspace happens to hold after a rollback.
"""

from typing import NamedTuple


class StageEntry(NamedTuple):
    """One line of the list.

    Attributes:
        about: what the stage does, for the command line's help.
        served: patterns of its files that a release carries, as of a shell; ``*`` stands for folders, too.
    """

    about: str
    served: tuple[str, ...] = ()


STAGES = {
    "events": StageEntry(
        "append what is new in the store to the Parquet log, and snapshot the catalogue",
        ("log.json",),  # which forgotten readers the release is without
    ),
    "tokens": StageEntry(
        "cut every article into words, Chinese and English",
        (
            *("lexicon.parquet", "boilerplate.parquet", "languages.json"),
            *("classes.parquet", "endings.parquet", "contexts.npy"),
        ),
    ),
    "words": StageEntry(
        "learn word vectors from the articles",
        (
            *("space.json", "vocabulary.parquet", "*.npy", "training.json"),
            "articles.parquet",  # the identifiers of those learned from: the next training takes the others
        ),
    ),
    "keywords": StageEntry(
        "rank each article's keywords by the votes of their vectors",
        ("*",),
    ),
    "articles": StageEntry(
        "make a vector of each article from its keywords, or by a pre-trained encoder",
        ("ids.parquet", "vectors.npy", "space.json", "*.safetensors", "encoder/*", "idf/*"),
    ),
    "categories": StageEntry(
        "classify articles into categories by the nearest category mean",
        ("articles.parquet", "categories.json", "*/*"),
    ),
    "stories": StageEntry("find near copies: articles that are one text", ("*",)),
    "tasks": StageEntry(
        "learn other label sets (sentiment, clickbait) and label every article",
        ("tasks.json", "*/articles.parquet", "*/categories.json", "*/*/*"),
    ),
    "items": StageEntry(
        "learn item vectors from click sessions, and project articles without clicks",
        ("ids.parquet", "space.json", "*.npy"),
    ),
    "readers": StageEntry(
        "train what foresees a reader's next click, where the settings ask for it",
        ("encoder.json", "encoder.safetensors"),
    ),
    "trends": StageEntry(
        "count clicks and impressions at several half-lives",
        ("state.safetensors", "ids.parquet", "trends.json"),
    ),
    "forecast": StageEntry("expect clicks of the site and its sections, with bands", ("*",)),
    "features": StageEntry("walk the log in time and write the click model's training matrix"),
    "ctr": StageEntry(
        "fit the click model",
        (
            *("model.json", "model.safetensors", "vocabulary.npy"),
            "judged.json",  # what the next report compares its own with
        ),
    ),
    "baselines": StageEntry("score the held-out lists by known simple methods"),
    "index": StageEntry("build the nearest-neighbour index", ("*",)),
    "catalogue": StageEntry("lay the articles out as the service reads them", ("*",)),
    "report": StageEntry("draw the report: figures, curves, maps, examples", ("*",)),
}


def served_files(*stages: str) -> dict[str, tuple[str, ...]]:
    """The patterns of the files that a release carries, by stage; of all stages by default."""
    return {stage: STAGES[stage].served for stage in stages or STAGES}
