"""Rows that are more than training may hold are learned from as if they were held; ids get rows, and lose them."""

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recsys.ctr import warm_start
from recsys.ctr.config import CtrConfig
from recsys.ctr.data import (
    GIB,
    InMemoryWindows,
    StreamedWindows,
    evaluation_mask,
    training_mask,
    windows_of,
)
from recsys.ctr.ids import IdVocabulary
from recsys.ctr.loop import Checkpoints, Progress
from recsys.ctr.model import ClickModel
from recsys.ctr.training import fit
from recsys.ctr.warm_start import DatasetStatistics, grow_vocabulary, initial_model
from recsys.dataset.chunks import Chunks, ChunkStatistics, chunks_of
from recsys.errors import CorruptArtefact, DegenerateInput
from recsys.features.rows import LabelledRows
from recsys.metrics import impression_metrics, log_loss
from recsys.units import DAY_MS
from recsys.workspace import load_npy, read_json
from tests.click_rows import NAMES, rows_of_ids, some_rows
from tests.test_ctr_release import made, newsroom, some_set

CONFIG = CtrConfig(hidden_units=(8,), epochs=6, batch_size=128, dropout=0.0, device="cpu", loss="softmax")
LITTLE = {"max_rows_gib": 20_000 / GIB}  # a few blocks


def in_blocks(rows: LabelledRows, lists: int) -> Chunks[LabelledRows]:
    """The same rows in blocks of so many lists."""
    first = np.flatnonzero(np.diff(rows.impression, prepend=-1))[::lists].tolist()
    pieces = []
    for start, stop in zip(first, [*first[1:], len(rows)], strict=True):
        low, high = int(rows.impression[start]), int(rows.impression[stop - 1]) + 1
        pieces.append(
            LabelledRows(
                rows.matrix[start:stop],
                rows.ids[start:stop],
                rows.context[low:high],
                rows.history[low:high],
                rows.impression[start:stop] - np.int32(low),
                rows.label[start:stop],
                rows.position[start:stop],
            )
        )
    return Chunks([chunks_of(piece).statistics[0] for piece in pieces], pieces.__getitem__)


def windows(source: Any, seed: int | None) -> list[list[int]]:
    order = None if seed is None else torch.Generator().manual_seed(seed)
    return [window.source.tolist() for window in source.windows(order)]


def streamed(
    config: CtrConfig = CONFIG, choice: Any = evaluation_mask, lists: int = 20
) -> tuple[StreamedWindows, LabelledRows]:
    rows = some_rows()
    config = config.model_copy(update=LITTLE)
    source = windows_of(ClickModel(NAMES, config).encoder, "cpu", in_blocks(rows, lists), config, choice)
    assert isinstance(source, StreamedWindows)
    return source, rows


def test_rows_are_held_as_long_as_there_is_room() -> None:
    rows = in_blocks(some_rows(), 20)
    encoder = ClickModel(NAMES, CONFIG).encoder
    assert isinstance(
        windows_of(encoder, "cpu", rows, CONFIG.model_copy(update={"max_rows_gib": rows.bytes / GIB}), training_mask),
        InMemoryWindows,
    )
    less = CONFIG.model_copy(update={"max_rows_gib": (rows.bytes - 1) / GIB})
    assert isinstance(windows_of(encoder, "cpu", rows, less, training_mask), StreamedWindows)


def test_an_epoch_sees_every_row_once_in_an_order_that_is_drawn() -> None:
    source, rows = streamed(CONFIG.model_copy(update={"loss": "bce"}))
    first, again, second = windows(source, 1), windows(source, 1), windows(source, 2)
    assert first == again != second
    assert len(first) > 3
    assert sorted(chain(*first)) == list(range(len(rows)))
    starts = [window[0] for window in first]
    assert starts != sorted(starts)
    assert source.blocks_per_window > 1
    assert any(np.ptp(window) > len(window) for window in first)  # blocks from afar are mixed
    assert list(chain(*windows(source, None))) == list(range(len(rows)))


def test_a_window_holds_what_its_rows_say() -> None:
    source, rows = streamed()
    for window in source.windows(torch.Generator().manual_seed(1)):
        numbers = window.source.numpy()
        np.testing.assert_array_equal(window.dense.numpy(), rows.matrix[numbers])
        np.testing.assert_array_equal(window.label.numpy(), rows.label[numbers])
        ends = (window.start + window.size).tolist()
        clicks = [float(window.label[start:end].sum()) for start, end in zip(window.start.tolist(), ends, strict=True)]
        assert window.clicks.tolist() == clicks
        assert min(clicks) > 0  # a softmax is told nothing by the others


@pytest.mark.parametrize("stream", [True, False])
def test_negatives_are_drawn_anew_in_each_epoch(stream: bool) -> None:
    config = CONFIG.model_copy(update={"negative_share": 0.3, "loss": "bce"} | (LITTLE if stream else {}))
    rows = some_rows()
    source = windows_of(ClickModel(NAMES, config).encoder, "cpu", in_blocks(rows, 20), config, training_mask)
    order = torch.Generator().manual_seed(1)
    epochs = [set(torch.cat([one.source for one in source.windows(order)]).tolist()) for _ in range(2)]
    clicked = set(np.flatnonzero(rows.label).tolist())
    for seen in epochs:
        assert clicked < seen
        assert len(seen - clicked) == pytest.approx(0.3 * (rows.label == 0).sum(), rel=0.15)
    assert len((epochs[0] & epochs[1]) - clicked) == pytest.approx(0.09 * (rows.label == 0).sum(), rel=0.3)


@pytest.mark.parametrize("loss", ["softmax", "bce", "joint"])
def test_a_streamed_training_ends_as_one_in_memory(loss: str) -> None:
    rows, later = some_rows(), some_rows(900, seed=2)
    config, found = CONFIG.model_copy(update={"loss": loss}), []
    for one in (config, config.model_copy(update=LITTLE)):
        model, training = fit(NAMES, in_blocks(rows, 20), in_blocks(later, 20), one, seed=1)
        found.append((training.validation_loss[training.best_epoch - 1], model.score(later), model.mean, model.std))
    assert found[0][0] == pytest.approx(found[1][0], rel=0.02)
    for held, there in zip(found[0][2:], found[1][2:], strict=True):
        torch.testing.assert_close(held, there, rtol=1e-6, atol=1e-6)
    auc = [impression_metrics(later.label, score, later.impression)["auc"] for _, score, *_ in found]
    assert auc[0] == pytest.approx(auc[1], abs=0.01)
    assert auc[1] > 0.75
    assert log_loss(later.label, found[1][1]) == pytest.approx(log_loss(later.label, found[0][1]), rel=0.02)


def test_ids_of_all_blocks_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_start, "_MIN_COUNT", 100)
    rows, good = rows_of_ids(300)
    config = CtrConfig(fields=("article",), hidden_units=(8,), epochs=1, device="cpu")
    models = [fit(NAMES, one, None, config, seed=1)[0] for one in (rows, in_blocks(rows, 7))]
    np.testing.assert_array_equal(models[0].encoder.vocabulary.hashes, models[1].encoder.vocabulary.hashes)
    assert 2 < len(models[0].encoder.vocabulary) < len(good) + 1  # some are rarer


def test_a_streamed_training_that_was_ended_goes_on_to_the_same_end(tmp_path: Path) -> None:
    rows, config = (
        in_blocks(some_rows(), 20),
        CONFIG.model_copy(update={"dropout": 0.3, "negative_share": 0.8, **LITTLE}),
    )

    def ended(progress: Progress) -> None:
        if progress.rows >= 4_000:
            raise KeyboardInterrupt

    file = Checkpoints(tmp_path / "c.safetensors", 0.0)
    told: list[Progress] = []
    with pytest.raises(KeyboardInterrupt):
        fit(NAMES, rows, None, config, seed=1, checkpoints=file, watch=ended)
    went_on, _ = fit(NAMES, rows, None, config, seed=1, checkpoints=file, watch=told.append)
    whole, _ = fit(NAMES, rows, None, config, seed=1)
    np.testing.assert_array_equal(went_on.raw(rows.whole()), whole.raw(rows.whole()))
    assert told[0].rows > 4_000


def test_what_goes_wrong_while_reading_ahead_is_raised_where_it_is_read() -> None:
    source, _ = streamed()
    read = source._blocks._read

    def broken(number: int) -> LabelledRows:
        if number == 7:
            raise FileNotFoundError(number)
        return read(number)

    source._blocks._read = broken
    with pytest.raises(FileNotFoundError):
        windows(source, None)


def test_a_stream_may_be_left_before_its_end() -> None:
    source, _ = streamed()
    begun = source.windows(None)
    next(begun)
    begun.close()  # type: ignore[attr-defined]
    assert windows(source, None)


def test_the_row_of_a_bad_value_is_counted_over_all_blocks() -> None:
    rows = some_rows()
    rows.matrix[1_234, 1] = np.inf
    with pytest.raises(DegenerateInput, match=r"inf in column 'noise', row 1234"):
        fit(NAMES, in_blocks(rows, 20), None, CONFIG, seed=1)
    rows.matrix[1_234, 1], rows.label[2_001] = 0, 3
    with pytest.raises(DegenerateInput, match=r"3 in column 'label', row 2001"):
        fit(NAMES, in_blocks(rows, 20), None, CONFIG, seed=1)


def test_the_job_streams_what_it_may_not_hold(tmp_path: Path) -> None:
    found = []
    for name, values in {"held": {}, "streamed": {"max_rows_gib": 1e-4}}.items():
        folder = made(newsroom(tmp_path / name, some_set(), block=300, **values))
        found.append((read_json(folder / "judged.json"), load_npy(folder / "holdout.npy")))
    assert found[0][0]["auc"] == pytest.approx(found[1][0]["auc"], abs=0.02)
    assert found[1][0]["auc"] > 0.7
    assert np.corrcoef(found[0][1], found[1][1])[0, 1] > 0.93
    assert (found[0][1] != found[1][1]).any()  # it really was another order


def test_a_block_larger_than_the_room_is_a_window_by_itself() -> None:
    rows = some_rows()
    config = CONFIG.model_copy(update={"max_rows_gib": 1 / GIB})
    source = windows_of(ClickModel(NAMES, config).encoder, "cpu", in_blocks(rows, 100), config, evaluation_mask)
    assert isinstance(source, StreamedWindows)
    assert source.blocks_per_window == 1
    assert isinstance(source._blocks.statistics[0], ChunkStatistics)
    assert len(windows(source, 1)) == 5


RULES: dict[str, Any] = {"min_count": 2, "expire_days": 10}


def ids(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


def test_ids_seen_often_enough_get_rows_and_all_others_row_0() -> None:
    made, fresh = grow_vocabulary(IdVocabulary.empty(), ids(7, 9, 9, 0, 0, 0, 7, 5), day=1, **RULES)
    assert len(made) == 3
    assert sorted(fresh) == [1, 2]
    assert made.rows(ids(5, 0, 8)).tolist() == [0, 0, 0]
    assert sorted(made.rows(ids(7, 9))) == [1, 2]
    assert made.rows(np.array([[7, 0], [9, 7]])).shape == (2, 2)


def test_an_id_that_is_gone_for_long_leaves_its_row_to_a_new_one_and_the_others_keep_theirs() -> None:
    first, _ = grow_vocabulary(IdVocabulary.empty(), ids(7, 7, 9, 9), day=1, **RULES)
    later, fresh = grow_vocabulary(first, ids(9, 3, 3), day=11, **RULES)  # 7 is ten days old: not yet
    assert (len(later), len(fresh)) == (4, 1)
    again, fresh = grow_vocabulary(later, ids(9, 4, 4), day=12, **RULES)
    assert len(again) == 4
    assert fresh.tolist() == first.rows(ids(7)).tolist() == again.rows(ids(4)).tolist()
    assert again.rows(ids(7)).tolist() == [0]
    assert again.rows(ids(9)).tolist() == first.rows(ids(9)).tolist()
    assert again.rows(ids(3)).tolist() == later.rows(ids(3)).tolist()


def test_a_known_id_needs_to_be_seen_once_to_stay() -> None:
    made, _ = grow_vocabulary(IdVocabulary.empty(), ids(7, 7), day=1, **RULES)
    made, _ = grow_vocabulary(made, ids(7), day=9, **RULES)
    made, _ = grow_vocabulary(made, ids(), day=19, **RULES)
    assert made.rows(ids(7)).tolist() == [1]
    made, fresh = grow_vocabulary(made, ids(), day=20, **RULES)
    assert made.rows(ids(7)).tolist() == [0]
    assert fresh.tolist() == []


def test_a_new_id_does_not_inherit_the_vector_of_the_one_whose_row_it_gets() -> None:
    config = CONFIG.model_copy(update={"fields": ("article",)})
    old, _ = grow_vocabulary(IdVocabulary.empty(), ids(7, 7, 9, 9), day=1, **RULES)
    last = ClickModel(NAMES, config, old)
    last.parts.state_dict()["net.embeddings.table"][1:] = 5.0
    moments = np.zeros(len(NAMES))
    statistics = DatasetStatistics(mean=moments, squares=moments, ids=ids(3, 9), counts=ids(5, 5))
    model = initial_model(NAMES, statistics, config, last, 100 * DAY_MS)
    (new, known), table = model.encoder.vocabulary.rows(ids(3, 9)), model.parts.state_dict()["net.embeddings.table"]
    assert (new, known) == tuple(old.rows(ids(7, 9)))
    assert (table[known] == 5.0).all()
    assert (table[new] != 5.0).all()


def test_files_give_back_what_was_written_and_others_are_refused(tmp_path: Path) -> None:
    made, _ = grow_vocabulary(IdVocabulary.empty(), ids(7, 7, 9, 9), day=3, **RULES)
    made.save(tmp_path / "v.npy")
    read = IdVocabulary.load(tmp_path / "v.npy")
    for mine, theirs in zip(made, read, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for table in (
        np.array([[0, 0], [7, 1], [7, 1]]),
        np.zeros((0, 2), np.int64),
        np.zeros(3),
        np.zeros((2, 3), np.int64),
    ):
        np.save(tmp_path / "v.npy", table)
        with pytest.raises(CorruptArtefact):
            IdVocabulary.load(tmp_path / "v.npy")
    (tmp_path / "v.npy").write_bytes(b"no array")
    with pytest.raises(CorruptArtefact):
        IdVocabulary.load(tmp_path / "v.npy")
