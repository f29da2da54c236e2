"""Task on record batches: a function's maker, its settings and its files, as they are sent to another process.

Nothing is pickled: the maker goes by its name, the settings as JSON, batches as Arrow streams, files as paths or bytes.
"""

import importlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

BatchFunction = Callable[[pa.RecordBatch], pa.RecordBatch]
FunctionMaker = Callable[[Mapping[str, Any], Mapping[str, Path]], BatchFunction]
BatchMap = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]  # results in the order of the batches
FileBytes = Mapping[str, Mapping[str, Any]]  # folder -> the name of a file in it -> its bytes
_OURS = "recsys."  # modules that a task may name


@dataclass(frozen=True)
class BatchTask:
    """Function on record batches, as it is sent to another process.

    Attributes:
        maker: a module's function that makes it from settings and files; it reads the files at once, for they may be
            gone when it has returned.
        settings: JSON-ready values.
        files: folders that the maker reads, by name.
    """

    maker: FunctionMaker
    settings: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)

    def function(self) -> BatchFunction:
        """The function, made in this process."""
        return self.maker(self.settings, self.files)

    def as_json(self) -> str:
        """The task as text; where its files are is a part of it."""
        maker = f"{self.maker.__module__}:{self.maker.__qualname__}"
        files = {name: str(folder) for name, folder in self.files.items()}
        return json.dumps({"maker": maker, "settings": dict(self.settings), "files": files})

    @classmethod
    def from_json(cls, text: str) -> "BatchTask":
        """The task that a text describes; only functions of this project are made."""
        values = json.loads(text)
        module, _, name = values["maker"].partition(":")
        if not module.startswith(_OURS):
            raise ValueError(f"a maker in {_OURS}, not {module!r}")
        files = {name: Path(folder) for name, folder in values["files"].items()}
        return cls(getattr(importlib.import_module(module), name), values["settings"], files)


TaskMap = Callable[[BatchTask, Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def file_names(task: BatchTask) -> Iterator[tuple[str, str, Path]]:
    """The files of a task: the name of the folder, the name in it, the path."""
    for name, folder in task.files.items():
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            yield name, file.relative_to(folder).as_posix(), file


def received_function(text: str, files: FileBytes) -> BatchFunction:
    """The function of a task that came from another machine.

    Args:
        text: of ``BatchTask.as_json``; where its files lay there does not count.
        files: the bytes of its files.
    """
    task = BatchTask.from_json(text)
    with tempfile.TemporaryDirectory(prefix="recsys-task-") as name:
        folders = {folder: Path(name, folder) for folder in task.files}
        for folder in folders.values():
            folder.mkdir()
        for folder_name, contents in files.items():
            for file_name, content in contents.items():
                target = folders[folder_name] / file_name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        return task.maker(task.settings, folders)


def batch_bytes(batch: pa.RecordBatch) -> pa.Buffer:
    """A batch as an Arrow stream; of a slice no more than the slice."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue()


def batch_of(content: Any) -> pa.RecordBatch:
    """The batch of an Arrow stream."""
    with pa.ipc.open_stream(pa.py_buffer(content)) as stream:
        return stream.read_next_batch()
