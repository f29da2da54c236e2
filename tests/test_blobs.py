"""One row of an Arrow array is what Arrow says that it is."""

import gc
from pathlib import Path

import pyarrow as pa
import pytest

from recsys.catalogue.blobs import ArrowFile, Blobs

TEXTS = ["汐州", None, "", "a\0b", "late", None, "é"]


@pytest.mark.parametrize(("first", "length"), [(0, 7), (1, 5), (3, 4), (2, 0)])
def test_every_row_of_an_array_and_of_a_part_of_one(first: int, length: int) -> None:
    part = pa.array(TEXTS, pa.large_string()).slice(first, length)
    blobs = Blobs(part)
    expected = [None if text is None else text.encode() for text in TEXTS[first : first + length]]
    assert [blobs[row] for row in range(len(blobs))] == expected
    assert [blobs.is_valid(row) for row in range(len(blobs))] == [text is not None for text in expected]
    for row in (-1, length):
        with pytest.raises(IndexError):
            blobs[row]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.large_binary()])
def test_an_array_without_rows_and_one_without_nulls(kind: pa.DataType) -> None:
    assert len(Blobs(pa.array([], kind))) == 0
    assert Blobs(pa.array([b"one", b"two"], kind))[1] == b"two"


@pytest.mark.parametrize("kind", [pa.large_string(), pa.large_binary()])
def test_rows_are_read_from_the_file_of_a_table(tmp_path: Path, kind: pa.DataType) -> None:
    texts = [text if text is None else text.encode() for text in TEXTS * 100]
    table = pa.table({"first": pa.array(["other"] * 700), "read": pa.array(TEXTS * 100, pa.large_string()).cast(kind)})
    path = tmp_path / "table.arrow"
    with pa.ipc.new_file(path, table.schema) as file:
        file.write_table(table)
    file = ArrowFile(path)
    path.unlink()  # a release that is removed while it is served
    blobs = Blobs(file.table["read"].chunk(0), file)
    assert [blobs[row] for row in range(len(blobs))] == texts
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    del blobs, file
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) < open_files
