"""The formats that are written: JSON, .npy, safetensors and Parquet, none of which runs code when it is opened."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from recsys.errors import CorruptArtefact
from recsys.workspace.disk import fsync_folder

Array = npt.NDArray[Any]


def write_json(file: Path, value: Any) -> None:
    """Write JSON with sorted keys: equal values give equal bytes."""
    file.write_text(json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def read_json(file: Path) -> Any:
    """Read JSON.

    Raises:
        CorruptArtefact: the file is not JSON.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CorruptArtefact(f"JSON in {file}", str(error), "Make it again with --fresh.") from None


def replace_json(file: Path, value: Any) -> None:
    """Replace a JSON file atomically, so that a crash leaves the old or the new one."""
    fresh = file.with_name(f".{file.name}.tmp")
    write_json(fresh, value)
    fsync_folder(fresh)
    fresh.replace(file)
    fsync_folder(file.parent)


def save_npy(file: Path, array: Array) -> None:
    """Write one array as .npy; object arrays are refused."""
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)


def load_npy(file: Path, *, mapped: bool = False) -> Array:
    """Read one .npy array.

    Args:
        file: the file.
        mapped: leave it in the file, read-only, instead of in memory of this process.

    Raises:
        CorruptArtefact: the bytes are not an array of plain numbers.
    """
    try:
        array: Array = np.load(file, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise CorruptArtefact(f"a .npy array of numbers in {file}", str(error), "Make it again with --fresh.") from None
    return array


def mapped_npy(file: Path) -> Array:
    """Map one .npy array into memory: its pages are read when they are asked for, and what is changed stays here.

    Raises:
        CorruptArtefact: the bytes are not an array of plain numbers.
    """
    try:
        return np.asarray(np.load(file, mmap_mode="c", allow_pickle=False))
    except (ValueError, EOFError):
        return load_npy(file)  # an empty one cannot be mapped


def save_arrays(file: Path, arrays: Mapping[str, Array]) -> None:
    """Write named arrays as safetensors."""
    save_file({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}, file)


def load_arrays(file: Path) -> dict[str, Array]:
    """Read named arrays from safetensors.

    Raises:
        CorruptArtefact: the file is not safetensors.
    """
    try:
        arrays: dict[str, Array] = load_file(file)
    except SafetensorError as error:
        raise CorruptArtefact(f"safetensors in {file}", str(error), "Make it again with --fresh.") from None
    return arrays


def write_table(file: Path, table: pa.Table) -> None:
    """Write a Parquet table, zstd-compressed."""
    pq.write_table(table, file, compression="zstd")


def read_table(file: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet table.

    Raises:
        CorruptArtefact: the file is not Parquet, or lacks a column.
    """
    try:
        with pq.ParquetFile(file) as parquet:  # pq.read_table would load Arrow's datasets
            table = parquet.read(columns)
        return table if columns is None else table.select(columns)
    except (pa.ArrowInvalid, KeyError) as error:
        raise CorruptArtefact(f"a Parquet table in {file}", str(error), "Make it again with --fresh.") from None
