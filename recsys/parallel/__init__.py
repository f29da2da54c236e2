"""Parallel: a function over record batches, in order, by the processes of this machine or of a Ray cluster.

A stage says which function (``BatchTask``) and gives it batches; results come back in the order of the batches, with
the same bytes wherever they were made.

    task.py       a function with its settings and files, as another process receives it
    processes.py  processes of this machine
    worker.py     one of them
    cluster.py    processes of a Ray cluster; needs the extra [cluster]
"""

from recsys.parallel.processes import in_processes
from recsys.parallel.task import BatchFunction, BatchMap, BatchTask, TaskMap

__all__ = ["BatchFunction", "BatchMap", "BatchTask", "TaskMap", "in_processes"]
