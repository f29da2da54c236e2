"""Training of the neural news models, and their scores of the held-out rows.

Of each click and four cards that its list held and that were left, a softmax learns which was clicked. The epoch that
ranks the validation part best decides how long a second model learns from both parts.

Source: Wu et al. 2019 (NRMS), section 2.3: negative sampling, four to a click.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import torch

from benchmarks.autoencoder import trained
from benchmarks.news.data import Newsroom, TimeSplit, settings_of
from benchmarks.news.networks import NETWORKS, ArticleBatch, Reader
from benchmarks.news.reading import NewsTexts, Reading, news_texts, reading_of
from benchmarks.news.rivals import Rival, Scores
from recsys.dataset.impressions import FIT, HOLDOUT, VALIDATION
from recsys.items import aligned
from recsys.metrics import impression_metrics

LEFT = 4  # cards that were left, per click
EPOCHS = 6  # at most
CLICKS_PER_STEP = 64
LEARNING_RATE = 1e-3
LISTS_AT_ONCE = 256  # when scoring
AUTOENCODED = ("autoencoder", "gru_autoencoder")  # of its vectors: the cosine alone, and the GRU

Ints = npt.NDArray[np.int64]


class NeuralModel:
    """A news model with the texts that it reads.

    Args:
        kind: of ``NETWORKS``.
        split: lists; which are learned from is said by ``fit``.
        reading: what their readers clicked.
        seed: of weights, dropout, order and cards.
    """

    def __init__(self, kind: str, split: TimeSplit, reading: Reading, seed: int) -> None:
        torch.manual_seed(seed)
        self.split, self.reading, self.rng = split, reading, np.random.default_rng(seed)
        texts = reading.texts
        sizes = (texts.words.shape[1], texts.vectors.shape[1])
        self.network: Reader = NETWORKS[kind](*sizes, int(texts.category.max()) + 1, int(reading.reader.max()) + 1)
        self.optimiser = torch.optim.Adam(self.network.parameters(), LEARNING_RATE)

    def epoch(self, lists: Ints) -> None:
        """Learn once from every click of some lists."""
        self.network.train()
        clicks = drawn_clicks(self.split, lists, self.rng)
        for batch in np.array_split(clicks, max(1, len(clicks) // CLICKS_PER_STEP)):
            article, known = self._known(batch[:, 1:], batch[:, 0])
            candidates = article[known[:, : 1 + LEFT]]  # (N, 1 + LEFT, UNITS)
            odds = (candidates * self._reader(article, known[:, 1 + LEFT :], batch[:, 0])[:, None]).sum(-1)
            loss = torch.nn.functional.cross_entropy(odds, torch.zeros(len(batch), dtype=torch.int64))
            self.optimiser.zero_grad()
            torch.autograd.backward(loss)
            self.optimiser.step()

    @torch.no_grad()
    def scores(self, lists: Ints) -> Scores:
        """Scores of all candidates of some lists, in their order: float64 (N,)."""
        self.network.eval()
        every = np.unique(np.concatenate([candidates_of(self.split, lists), self.reading.history[lists].ravel()]))
        every = every[every >= 0]
        vectors = torch.cat(
            [self.network.articles(self._batch(part)) for part in np.array_split(every, 32) if len(part)]
        )
        table = torch.cat([torch.zeros(1, vectors.shape[1]), vectors])  # row 0 is no article
        out = []
        for some in np.array_split(lists, max(1, len(lists) // LISTS_AT_ONCE)):
            clicked = places(every, self.reading.history[some])
            reader = self._reader(table, clicked, some)
            rows = places(every, candidates_of(self.split, some))
            number = np.repeat(np.arange(len(some)), np.diff(self.split.lists.offsets)[some])
            out.append((table[rows] * reader[number]).sum(1))
        return torch.cat(out).double().numpy()

    def _known(self, candidates: Ints, lists: Ints) -> tuple[torch.Tensor, Ints]:
        """Vectors of all articles of a batch behind a row of zeros, and the places of candidates and clicks."""
        wanted = np.concatenate([candidates, self.reading.history[lists]], 1)
        every = np.unique(wanted[wanted >= 0])
        vectors = self.network.articles(self._batch(every))
        return torch.cat([vectors.new_zeros(1, vectors.shape[1]), vectors]), places(every, wanted)

    def _reader(self, table: torch.Tensor, clicked: Ints, lists: Ints) -> torch.Tensor:
        mask = torch.from_numpy(clicked > 0)
        return self.network.reader(table[clicked], mask, torch.from_numpy(self.reading.reader[lists]))

    def _batch(self, rows: Ints) -> ArticleBatch:
        texts = self.reading.texts
        title, body = texts.title[rows], texts.body[rows]
        parts = (texts.words[title], title > 0, texts.words[body], body > 0, texts.category[rows], texts.vectors[rows])
        return ArticleBatch(*(torch.from_numpy(part) for part in parts))


def places(every: Ints, rows: Ints) -> Ints:
    """Place of each row in ``every``, from 1; 0 for -1."""
    return np.where(rows < 0, 0, np.searchsorted(every, rows) + 1)


def candidates_of(split: TimeSplit, lists: Ints) -> Ints:
    """Articles of some lists, list by list: int64 (N,)."""
    offsets = split.lists.offsets
    parts = [split.lists.article[offsets[number] : offsets[number + 1]] for number in lists]
    return np.concatenate([np.empty(0, np.int64), *parts])


def drawn_clicks(split: TimeSplit, lists: Ints, rng: np.random.Generator) -> Ints:
    """Clicks in a drawn order: int64 (C, 2 + LEFT), list, clicked article, articles left, drawn anew."""
    offsets, label, out = split.lists.offsets, split.lists.label, []
    for number in lists.tolist():
        span = slice(offsets[number], offsets[number + 1])
        article, clicked = split.lists.article[span], label[span] > 0
        if clicked.any() and not clicked.all():
            left = article[~clicked]
            out += [[number, one, *rng.choice(left, LEFT, len(left) < LEFT)] for one in article[clicked].tolist()]
    return rng.permutation(np.array(out, np.int64).reshape(-1, 2 + LEFT))


def neural(split: TimeSplit, seed: int, *, kind: str, texts: NewsTexts, gap_minutes: int) -> Scores:
    """Train one kind, find its epochs on the validation part, train it again on both; scores of the held-out rows."""
    reading = reading_of(split, texts, gap_minutes)
    first, later, held = (np.flatnonzero(split.lists.part == part) for part in (FIT, VALIDATION, HOLDOUT))
    rows, model, auc = split.part(VALIDATION), NeuralModel(kind, split, reading, seed), []
    for _ in range(EPOCHS):
        model.epoch(first)
        auc.append(impression_metrics(rows.label, model.scores(later), rows.impression)["auc"])
    model = NeuralModel(kind, split, reading, seed)
    for _ in range(int(np.argmax(auc)) + 1):
        model.epoch(np.concatenate([first, later]))
    return model.scores(held)


def neural_rivals(room: Newsroom, names: Sequence[str]) -> dict[str, Rival]:
    """Some of the neural models as rivals; no text is read where there is none of them."""
    if not set(names) & {*NETWORKS, *AUTOENCODED}:
        return {}
    texts, gap = news_texts(room), settings_of(room).events.session_gap_minutes
    rivals: dict[str, Rival] = {
        kind: partial(neural, kind=kind, texts=texts, gap_minutes=gap) for kind in names if kind in NETWORKS
    }
    if set(names) & {*AUTOENCODED}:
        learned = texts._replace(vectors=autoencoded(room))
        rivals["gru_autoencoder"] = partial(neural, kind="gru", texts=learned, gap_minutes=gap)
        rivals["autoencoder"] = partial(nearness, texts=learned, gap_minutes=gap)
    return rivals


def autoencoded(room: Newsroom) -> npt.NDArray[np.float32]:
    """The article vectors of an autoencoder that learned from the newsroom's texts and given categories."""
    table = pq.read_table(room.job.path("tokens") / "articles.parquet", columns=["id", "title", "body"])
    given = pq.read_table(room.job.path("events") / "articles.parquet", columns=["category"])["category"].to_pylist()
    texts = [title + body for title, body in zip(table["title"].to_pylist(), table["body"].to_pylist(), strict=True)]
    vectors = trained(texts, given, room.job.seed).vectors(texts)
    return np.nan_to_num(aligned(vectors, table["id"].to_pylist(), room.events.article_ids))


def nearness(split: TimeSplit, seed: int, *, texts: NewsTexts, gap_minutes: int) -> Scores:
    """Cosine of each held-out candidate with the mean of what its reader clicked."""
    reading, lists = reading_of(split, texts, gap_minutes), np.flatnonzero(split.lists.part == HOLDOUT)
    clicked = np.where(reading.history[lists][:, :, None] >= 0, texts.vectors[reading.history[lists]], 0)
    reader = clicked.sum(axis=1)
    number = np.repeat(np.arange(len(lists)), np.diff(split.lists.offsets)[lists])
    cosines: Scores = (texts.vectors[candidates_of(split, lists)] * reader[number]).sum(axis=1).astype(np.float64)
    return cosines
