"""The click model without torch: torch is the oracle of every network, and what the service relies on beside it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from recsys.ctr.architecture import CLICK_NETWORKS, NORMS
from recsys.ctr.config import CtrConfig
from recsys.ctr.ids import IdVocabulary
from recsys.ctr.inference import Calibration
from recsys.ctr.model import ClickModel
from recsys.ctr.network import CandidateBatch
from recsys.ctr.saved import CandidateSampling
from recsys.ctr.scoring import CLICK_RATE, READER_RATE, SCORE_ROWS, ClickScorer, SamplingCorrection
from recsys.errors import CorruptArtefact, DegenerateInput
from recsys.features import CANDIDATE_FIELDS, HISTORY, LIST_FIELDS
from recsys.features.rows import CandidateRows

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("age", CLICK_RATE, "clicks", READER_RATE)
FIELDS = {
    "columns": (),
    "ids": ("article", "category", "hour"),
    "article and history": ("article", "history"),
    "history": ("history",),
    "all": (*CANDIDATE_FIELDS, *LIST_FIELDS, "history"),
}
IDS = 40  # articles and other ids that have a row of the table; as many again have none


def drawn(network: str, fields: tuple[str, ...], seed: int = 0, **config: object) -> ClickModel:
    """A model of random weights, large enough that every part of it shows in a score."""
    torch.manual_seed(seed)
    settings = CtrConfig(network=network, fields=fields, embedding_dim=5, hidden_units=(12, 7), **config)
    vocabulary = IdVocabulary.of(np.arange(IDS, dtype=np.int64) * 3, np.zeros(IDS, np.int64)) if fields else None
    model = ClickModel(NAMES, settings, vocabulary)
    with torch.no_grad():
        for name, value in model.parts.state_dict().items():
            if value.is_floating_point():
                value.normal_(0.0, 0.2)
                value.abs_() if name.endswith("running_var") else value
                if name == "net.embeddings.table" or name == "net.embeddings.bias":
                    value[0] = 0
    model.mean, model.std = torch.randn(len(NAMES)), torch.rand(len(NAMES)) + 0.5
    model.blend_click_rate(0.3, 0.4)
    model.intercept = -1.25
    return model


def asked(rows: int, lists: int = 1, seed: int = 0) -> CandidateRows:
    """Candidates of some lists; half of the ids have no row, and of the last clicks some are missing."""
    rng = np.random.default_rng(seed)
    history = rng.integers(1, IDS, (lists, HISTORY)) * 3
    history[:, rng.integers(0, HISTORY) :] = 0
    return CandidateRows(
        (rng.standard_normal((rows, len(NAMES))) * 2).astype(np.float32),
        rng.integers(0, 2 * IDS, (rows, len(CANDIDATE_FIELDS))) * 3,
        rng.integers(0, 2 * IDS, (lists, len(LIST_FIELDS))) * 3,
        history,
        np.sort(rng.integers(0, lists, rows)).astype(np.int32),
    )


def by_torch(model: ClickModel, candidates: CandidateRows) -> npt.NDArray[np.float32]:
    """The same log-odds by the network that training differentiates."""
    dense = model.standardised(torch.from_numpy(candidates.matrix))
    none = torch.zeros(len(candidates), 0, dtype=torch.int64)
    batch = CandidateBatch(dense, none, none)
    if model.reads_ids:
        rows = model.encoder.rows(candidates)
        batch = CandidateBatch(dense, torch.from_numpy(rows.ids), torch.from_numpy(rows.history))
    model.parts.eval()
    with torch.inference_mode():
        odds = model.parts["net"](batch).numpy()
    share = model.click_rate_share
    rates = share * candidates.matrix[:, 1] + 0.4 * candidates.matrix[:, 3]  # of the article; of the reader
    blended: npt.NDArray[np.float32] = (1 - share) * odds + rates + model.intercept
    return blended


READABLE = [  # the settings refuse attention without what it attends to
    (network, name)
    for network in CLICK_NETWORKS
    for name in FIELDS
    if network != "din" or "history" in FIELDS[name][1:]
]


@pytest.mark.parametrize(("network", "fields"), READABLE)
def test_scores_are_those_of_the_network_in_torch(network: str, fields: str, tmp_path: Path) -> None:
    for norm in NORMS:
        for dropout in (0.0, 0.2):
            model = drawn(network, FIELDS[fields], norm=norm, dropout=dropout)
            model.save(tmp_path)
            scorer = ClickScorer.load(tmp_path, NAMES)
            for lists in (1, 6):
                candidates = asked(50, lists)
                truth = by_torch(model, candidates)
                assert np.ptp(truth) > 0.3
                np.testing.assert_allclose(scorer.raw(candidates), truth, rtol=0, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(CLICK_NETWORKS)), st.sampled_from(NORMS), st.integers(1, 300), st.integers(0, 10_000))
def test_no_score_depends_on_its_neighbours(network: str, norm: str, rows: int, seed: int) -> None:
    scorer = drawn(network, FIELDS["all"], norm=norm, seed=seed).scorer()
    whole = asked(300, 1, seed)
    chosen = np.random.default_rng(seed).permutation(300)[:rows]
    part = replace(whole, matrix=whole.matrix[chosen], ids=whole.ids[chosen], impression=whole.impression[chosen])
    np.testing.assert_array_equal(scorer.raw(part), scorer.raw(whole)[chosen])


def test_more_rows_than_are_scored_at_once_are_the_same_scores() -> None:
    scorer = drawn("din", FIELDS["all"]).scorer()
    many = asked(SCORE_ROWS + 100, 9)
    scores = scorer.raw(many)
    assert scores.shape == (SCORE_ROWS + 100,)
    last = np.arange(SCORE_ROWS + 100) >= SCORE_ROWS - 50  # from both sides of the border
    np.testing.assert_array_equal(scorer.raw(many.where(last)), scores[last])


def test_no_candidates_have_no_scores() -> None:
    for fields in FIELDS.values():
        assert drawn("dcn", fields).scorer().score(asked(0)).shape == (0,)


def test_a_model_of_columns_needs_no_ids_and_one_of_ids_says_what_it_lacks() -> None:
    bare = CandidateRows.dense(asked(5).matrix)
    columns = drawn("dnn", ()).scorer()
    assert not columns.reads_ids
    np.testing.assert_array_equal(columns.raw(bare), columns.raw(asked(5)))
    ids = drawn("dnn", ("article",)).scorer()
    assert ids.reads_ids
    with pytest.raises(DegenerateInput, match="2 ids of a candidate"):
        ids.raw(bare)


def test_probabilities_go_through_the_calibration() -> None:
    model, candidates = drawn("logistic", ()), asked(30)
    plain = model.scorer().score(candidates)
    np.testing.assert_allclose(plain, 1 / (1 + np.exp(-model.scorer().raw(candidates))), atol=1e-6)
    model.calibration = Calibration((0.0,), (0.5,), 2.0)
    truth = 1 / (1 + np.exp(-(2.0 * model.scorer().raw(candidates) + 0.5)))
    np.testing.assert_allclose(model.scorer().score(candidates), truth, atol=1e-6)


def test_sampled_candidates_get_their_popularity_back() -> None:
    model, candidates = drawn("dnn", ()), asked(30)
    candidates.matrix[:, 2] = np.abs(candidates.matrix[:, 2])
    corrected = SamplingCorrection(model.scorer(), NAMES, CandidateSampling("clicks", 0.5))
    assert not corrected.reads_ids
    clicks = np.expm1(candidates.matrix[:, 2]) + 0.5
    np.testing.assert_allclose(corrected.score(candidates), model.scorer().raw(candidates) + np.log(clicks), atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.pop("net.deep.0.weight"),
        lambda weights: weights.update({"net.deep.0.weight": weights["net.deep.0.weight"].T.copy()}),
        lambda weights: weights.update({"net.deep.0.bias": np.full(12, np.nan, np.float32)}),
        lambda weights: weights.update({"net.first": np.zeros(4, np.float32)}),
        lambda weights: weights.update({"net.embeddings.table": np.zeros((IDS - 1, 5), np.float32)}),
        lambda weights: weights.update({"std": np.ones(3, np.float32)}),
    ],
    ids=["missing", "turned", "not finite", "too many", "another vocabulary", "another scale"],
)
def test_weights_of_another_network_are_refused_by_both_readers(change: object, tmp_path: Path) -> None:
    drawn("dnn", ("article",)).save(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    change(weights)  # type: ignore[operator]
    save_file(weights, tmp_path / "model.safetensors")
    for reader in (ClickScorer, ClickModel):
        with pytest.raises(CorruptArtefact):
            reader.load(tmp_path, NAMES)


WITHOUT_TORCH = """
import sys
from pathlib import Path
import numpy as np
sys.modules["torch"] = None
from recsys.ctr.scoring import ClickScorer
from recsys.features.rows import CandidateRows
arrays = np.load("asked.npz")
candidates = CandidateRows(*(arrays[name] for name in ("matrix", "ids", "context", "history", "impression")))
for folder in sorted(file for file in Path().iterdir() if file.is_dir()):
    np.save(f"{folder.name}.npy", ClickScorer.load(folder, sys.argv[1:]).score(candidates))
"""


def test_every_network_scores_the_same_where_there_is_no_torch(tmp_path: Path) -> None:
    candidates = asked(40, 3)
    np.savez(tmp_path / "asked.npz", **vars(candidates))
    for network in CLICK_NETWORKS:
        (tmp_path / network).mkdir()
        drawn(network, FIELDS["all"]).save(tmp_path / network)
    command = [sys.executable, "-c", WITHOUT_TORCH, *NAMES]
    subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True)
    for network in CLICK_NETWORKS:
        scores = drawn(network, FIELDS["all"]).scorer().score(candidates)
        np.testing.assert_array_equal(np.load(tmp_path / f"{network}.npy"), scores)
