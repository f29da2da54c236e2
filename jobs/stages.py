"""The stages of training, in order.

A stage's module is loaded when it is called and not before, because gensim and torch take seconds to import and
``python -m jobs --help`` should not.
"""

import importlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from jobs.runner import Context, Counts, Job, Stage

STAGES = {
    "events": "append what is new in the store to the Parquet log, and snapshot the catalogue",
    "tokens": "cut every article into words, Chinese and English",
    "words": "learn word vectors from the articles",
    "keywords": "rank each article's keywords by the votes of their vectors",
    "articles": "make a vector of each article from its keywords",
    "categories": "sort articles into categories by the nearest category mean",
    "stories": "find near copies: articles that are one text",
    "tasks": "learn other label sets (sentiment, clickbait) and label every article",
    "items": "learn item vectors from click sessions, and project articles without clicks",
    "readers": "train what foresees a reader's next click, where the settings ask for it",
    "trends": "count clicks and impressions at several half-lives",
    "features": "walk the log in time and write the click model's training matrix",
    "ctr": "fit the click model",
    "baselines": "score the held-out lists by known simple methods",
    "index": "build the nearest-neighbour index",
    "report": "draw the report: figures, curves, maps, examples",
}


def stage_of(name: str) -> tuple[Stage, Callable[[Job], Counts]]:
    """Load one stage's module: what it is made from, and the function that makes it."""
    module = importlib.import_module(f"jobs.{name}")
    return module.STAGE, module.run


def command_of(name: str) -> Callable[..., None]:
    """Load a command that draws, for the same reason."""
    found: Callable[..., None] = importlib.import_module(f"jobs.{name}").command
    return found


def together(context: Context, job: str) -> AbstractContextManager[bool]:
    """Whether this process is to do a job: it is alone, or the first of those that torchrun started."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return nullcontext(True)
    found: AbstractContextManager[bool] = importlib.import_module("jobs.together").together(context, job)
    return found
