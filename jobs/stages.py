"""The modules of the stages and of commands that judge or draw, by name.

A module is loaded when it is called and not before: gensim, torch and SciPy take seconds to import, and neither
``python -m jobs --help`` should nor what an operator is waiting for (``rollback``).
"""

import importlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from jobs.runner import Context, Counts, Job, Stage
from recsys.errors import MissingArtefact
from recsys.parallel import TaskMap


def stage_of(name: str) -> tuple[Stage, Callable[[Job], Counts]]:
    """Load one stage's module: what it is made from, and the function that makes it."""
    module = importlib.import_module(f"jobs.{name}")
    return module.STAGE, module.run


def command_of(name: str, function: str = "command") -> Callable[..., Any]:
    """Load a command that judges, draws or makes tables, for the same reason."""
    command: Callable[..., Any] = getattr(importlib.import_module(f"jobs.{name}"), function)
    return command


def cluster_at(address: str | None) -> TaskMap | None:
    """The Ray cluster at an address, connected; None without one.

    Raises:
        MissingArtefact: Ray is not installed.
        ConfigError: token authentication is not on.
        LostProcess: there is no cluster that takes our token.
    """
    if not address:
        return None
    try:
        module = importlib.import_module("recsys.parallel.cluster")
    except ModuleNotFoundError as error:
        remedy = "Run: pip install -c constraints.txt --editable '.[cluster]'"
        raise MissingArtefact("Ray, for --cluster", str(error), remedy) from None
    mapped: TaskMap = module.RayCluster(address).map_batches
    return mapped


def main_process(context: Context, job: str) -> AbstractContextManager[bool]:
    """True where this process is to do a job: it is alone, or the first of those that torchrun started."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return nullcontext(True)
    entered: AbstractContextManager[bool] = importlib.import_module("jobs.distributed").main_process(context, job)
    return entered
