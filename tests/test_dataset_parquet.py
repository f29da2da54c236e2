"""Training rows in Parquet: blocks of whole lists of one part, read as they were written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.dataset.chunks import chunks_of
from recsys.dataset.impressions import FIT, HOLDOUT, VALIDATION
from recsys.dataset.parquet import (
    PARQUET_SCHEMA,
    load_training_set,
    open_training_set,
    save_training_set,
    training_set_writer,
)
from recsys.dataset.training_set import TrainingSet
from recsys.errors import CorruptArtefact, MissingArtefact, StaleArtefact
from recsys.features import CANDIDATE_FIELDS, COLUMN, LIST_FIELDS, NAMES, VERSION
from recsys.features.rows import concatenated
from recsys.workspace import read_json, write_json
from tests.test_ctr_release import SHOWN, some_set


def lists(n: int) -> TrainingSet:
    return some_set(n).cut(0, n * SHOWN)


def same(one: TrainingSet, other: TrainingSet) -> None:
    for name, array in vars(one).items():
        np.testing.assert_array_equal(getattr(other, name), array, name)
        assert getattr(other, name).dtype == array.dtype


@pytest.mark.parametrize("block", [1, 7, 100, 10_000])
def test_blocks_hold_whole_lists_of_one_part(tmp_path: Path, block: int) -> None:
    rows = lists(100)
    save_training_set(rows, tmp_path / "features.parquet", block=block)
    blocks = open_training_set(tmp_path / "features.parquet")
    assert len(blocks) == len(rows)
    for fact, piece in zip(blocks.statistics, blocks, strict=True):
        assert isinstance(piece, TrainingSet)
        assert fact.rows == len(piece)
        assert fact.lists == len(piece.context) == len(np.unique(piece.impression))
        assert set(piece.part) == {fact.part}
        assert (fact.since, fact.until) == (piece.time.min(), piece.time.max())
        assert fact.rows % SHOWN == 0
        assert fact.rows < block + SHOWN
        assert fact.bytes == pytest.approx(sum(array.nbytes for array in vars(piece).values()), rel=0.01)
    same(rows, concatenated([piece for piece in blocks if isinstance(piece, TrainingSet)]))
    same(rows, load_training_set(tmp_path / "features.parquet"))


def test_parts_are_read_alone(tmp_path: Path) -> None:
    rows = lists(100)
    save_training_set(rows, tmp_path / "features.parquet", block=60)
    blocks = open_training_set(tmp_path / "features.parquet")
    for parts in ((FIT,), (HOLDOUT,), (FIT, VALIDATION)):
        chosen = rows.where(np.isin(rows.part, parts))
        found = blocks.of_parts(*parts)
        assert len(found) == len(chosen)
        assert (found.since, found.until) == (chosen.time.min(), chosen.time.max())
        np.testing.assert_array_equal(found.whole().matrix, chosen.matrix)
    held = load_training_set(tmp_path / "features.parquet", HOLDOUT)
    np.testing.assert_array_equal(held.label, rows.label[rows.part == HOLDOUT])
    assert not len(blocks.of_parts(9))
    assert not len(load_training_set(tmp_path / "features.parquet", 9))


def test_stretches_are_joined_to_blocks_and_the_numbers_of_lists_go_on(tmp_path: Path) -> None:
    rows = lists(60)
    with training_set_writer(tmp_path / "features.parquet", {"drawn": None}, block=90) as writer:
        for start in range(0, len(rows), 4 * SHOWN):
            writer.write(rows.cut(start, min(start + 4 * SHOWN, len(rows))))
        writer.write(TrainingSet.empty())
    same(rows, load_training_set(tmp_path / "features.parquet"))
    table = pq.read_table(tmp_path / "features.parquet")
    assert table["impression"].to_pylist() == rows.impression.tolist()
    assert table.column_names == PARQUET_SCHEMA.names
    np.testing.assert_array_equal(table["item_cosine"].to_numpy(), rows.matrix[:, COLUMN["item_cosine"]])


def test_no_rows_are_read_as_none(tmp_path: Path) -> None:
    save_training_set(TrainingSet.empty(), tmp_path / "features.parquet")
    assert not len(open_training_set(tmp_path / "features.parquet"))
    assert load_training_set(tmp_path / "features.parquet").matrix.shape == (0, len(NAMES))


def test_every_column_has_a_name_of_its_own() -> None:
    assert (
        len(set(PARQUET_SCHEMA.names))
        == len(PARQUET_SCHEMA.names)
        == 6 + len(NAMES) + len(CANDIDATE_FIELDS) + len(LIST_FIELDS)
    )


def test_files_that_are_no_rows_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "features.parquet"
    save_training_set(lists(100), file, block=60)
    whole, blocks = file.read_bytes(), open_training_set(file)
    file.write_bytes(whole[:2_000])
    with pytest.raises(CorruptArtefact, match="jobs features --fresh"):
        open_training_set(file)
    file.write_bytes(bytes(len(whole)))  # damaged after it was opened
    with pytest.raises(CorruptArtefact):
        list(blocks)
    pq.write_table(pa.table({"label": [1]}), file)
    with pytest.raises(CorruptArtefact, match="columns"):
        open_training_set(file)
    file.unlink()
    with pytest.raises((CorruptArtefact, MissingArtefact)):
        open_training_set(file)


def test_rows_in_memory_are_one_block_each_part(tmp_path: Path) -> None:
    rows = lists(100)
    save_training_set(rows, tmp_path / "features.parquet")
    mine, theirs = rows.chunks(), open_training_set(tmp_path / "features.parquet")
    assert [fact[:2] + fact[3:] for fact in mine.statistics] == [fact[:2] + fact[3:] for fact in theirs.statistics]
    assert chunks_of(mine) is mine
    np.testing.assert_array_equal(mine.whole().matrix, rows.matrix)


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    rows = replace(lists(20), position=np.arange(20 * SHOWN, dtype=np.int16) % SHOWN)
    save_training_set(rows, tmp_path / "features.parquet", {"drawn": None})
    again = load_training_set(tmp_path / "features.parquet")
    same(rows, again)
    assert read_json(tmp_path / "schema.json")["names"] == list(NAMES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": [*NAMES, "moon_phase"]}, "differ in moon_phase"),
        ({"names": list(NAMES[1:])}, f"differ in {NAMES[0]}"),
        ({"names": list(NAMES[::-1])}, "their order"),
        ({"list_fields": [*LIST_FIELDS[:-1]]}, "differ in slot"),
        ({"version": VERSION - 1}, f"version {VERSION}.*version {VERSION - 1}"),
        ({"history": 7}, "history 7"),
    ],
)
def test_rows_of_another_schema_are_refused_and_what_differs_is_named(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    save_training_set(lists(1), tmp_path / "features.parquet")
    schema = read_json(tmp_path / "schema.json")
    write_json(tmp_path / "schema.json", schema | change)
    with pytest.raises(StaleArtefact, match=f"(?s){message}.*jobs features --fresh"):
        load_training_set(tmp_path / "features.parquet")
