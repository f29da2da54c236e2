import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from jobs.runner import run_stages
from jobs.stages import stage_of
from recsys.articles import sentences
from recsys.articles.config import ArticlesConfig
from recsys.articles.pretrained import install
from recsys.articles.sentences import (
    ENCODED_CHARS,
    EncodingOutcome,
    SentenceVectors,
    TimedEncoder,
    counted,
    load_sentence_encoder,
    probed,
    readable,
)
from recsys.errors import ConfigError, DegenerateInput, MissingArtefact, RecsysError, RefusedRelease
from recsys.store import Scope
from recsys.telemetry import exposition
from recsys.units import now_ms
from recsys.workspace import load_npy, read_json
from tests.newsroom import ARTICLES_A_TOPIC, QUICK, SITE, TOPICS, Toy, fill_toy, published, toy_settings, train
from tests.service import article, copy_of, serving
from tests.tiny_onnx import UNKNOWN, pooled_by_first_token, write_encoder

ROOT = Path(__file__).resolve().parents[1]
AXES = {UNKNOWN: [1, 1, 0], "ball": [3, 0, 0], "bank": [0, 4, 0], "球": [0, 0, 2]}


class Site:
    """Encoder of a site's own, without a library: the lengths of title and text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def encode(self, text: str) -> npt.NDArray[np.float32]:
        title, _, body = text.partition("\n")
        return np.array([len(title), len(body), 1], np.float32)


class Broken:
    """Encoder that does what a test wants."""

    def __init__(self, answer: Callable[[str], npt.ArrayLike]) -> None:
        self.answer = answer

    def encode(self, text: str) -> npt.NDArray[np.float32]:
        return np.asarray(self.answer(text), np.float32)


def asleep(text: str) -> npt.ArrayLike:
    time.sleep(0.5)
    return [1, 2]


def raising(text: str) -> npt.ArrayLike:
    raise OSError("no such model")


# --- one text


def test_the_vector_of_a_text_is_the_mean_of_its_tokens_by_hand(tmp_path: Path) -> None:
    encoder = load_sentence_encoder("onnx", write_encoder(tmp_path / "encoder", AXES))
    assert encoder.encode("Ball, bank!").tolist() == pytest.approx([5 / 4, 6 / 4, 0])  # punctuation is unknown
    assert encoder.encode("球 ball").tolist() == pytest.approx([1.5, 0, 1])


def test_the_first_token_decides_where_the_folder_says_so(tmp_path: Path) -> None:
    pooled_by_first_token(write_encoder(tmp_path / "encoder", AXES))
    assert load_sentence_encoder("onnx", tmp_path / "encoder").encode("bank ball").tolist() == [0, 4, 0]


def test_a_text_is_cut_where_the_folder_says_so(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "encoder", AXES)
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 2}))
    assert load_sentence_encoder("onnx", folder).encode("bank bank ball ball").tolist() == [0, 4, 0]


def test_a_text_is_read_without_markup_and_repeated_lines_and_cut() -> None:
    body = "<p>The  bank&amp;co</p><p>Read on our site</p>" + "x" * 9000
    text = readable("<b>Rates</b>", body, frozenset({"Read on our site"}))
    assert text.startswith("Rates\nThe bank&co xxx")
    assert len(text) == ENCODED_CHARS


def test_vectors_are_seen_from_the_mean_of_their_language_by_hand() -> None:
    """Sixty English articles around (1, 0), sixty Chinese around (0, 1): what is left is what they differ in."""
    vectors = SentenceVectors(Broken(len), 2, "s", 1)
    rng = np.random.default_rng(0)
    angles = np.concatenate([rng.normal(0, 0.1, 60), rng.normal(np.pi / 2, 0.1, 60)])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    rows[3] = np.nan
    languages = ["en"] * 60 + ["zh"] * 60
    vectors.learn_centre(rows, languages)
    made = vectors.centred(rows, languages)
    assert np.isnan(made[3]).all()
    known = np.delete(np.arange(120), 3)
    assert np.linalg.norm(made[known], axis=1) == pytest.approx(np.ones(119), abs=1e-5)
    assert (np.sign(made[known, 1]) == np.sign(rows[known, 1])).mean() > 0.4  # both signs: no common direction is left
    assert np.abs(made[:60][np.arange(60) != 3].mean(axis=0)).max() < 0.3
    other = vectors.centred(np.array([[1, 0]], np.float32), ["de"])[0]  # a language of which there is too little: all
    both = np.delete(rows, 3, axis=0).mean(axis=0)
    assert other == pytest.approx((np.array([1, 0]) - both) / np.linalg.norm(np.array([1, 0]) - both), abs=1e-5)


# --- what is refused at once


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokeniser"),
        (lambda folder: (folder / "model.onnx").unlink(), "one ONNX model"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"no model"), "can be read"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "can be read"),
        (lambda folder: [(folder / "model.onnx").rename(folder / "a.onnx"), (folder / "b.onnx").touch()], "b.onnx"),
        (lambda folder: write_encoder(folder, AXES, inputs=("pixels",)), "pixels"),
        (lambda folder: write_encoder(folder, AXES | {UNKNOWN: [np.nan] * 3}), "finite"),
        (lambda folder: write_encoder(folder, {UNKNOWN: [0, 0, 0]}), "not all zero"),
        (lambda folder: write_encoder(folder, {UNKNOWN: [1, 2, 3]}), "different vectors"),
        (lambda folder: write_encoder(folder, {UNKNOWN: [1], "the": [2]}), "2 to 4096 numbers"),
    ],
)
def test_an_encoder_that_is_none_is_refused(tmp_path: Path, spoil: Callable[[Path], object], complaint: str) -> None:
    spoil(write_encoder(tmp_path / "encoder", AXES))
    with pytest.raises(RecsysError, match=complaint):
        install(ArticlesConfig(encoder="onnx"), tmp_path / "encoder", tmp_path / "out")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, out: Path) -> None:
    with pytest.raises(MissingArtefact, match="one ONNX model"):
        install(ArticlesConfig(encoder="onnx"), tmp_path / "nowhere", out)


@pytest.mark.parametrize("name", ["onnx", "tests.test_sentences:Site"])
def test_an_encoder_goes_into_the_artefact_with_its_files(tmp_path: Path, out: Path, name: str) -> None:
    made = install(ArticlesConfig(encoder=name), write_encoder(tmp_path / "encoder", AXES | {"the": [0, 1, 0]}), out)
    assert made.dimensions == 3
    assert (out / "encoder" / "model.onnx").read_bytes() == (tmp_path / "encoder" / "model.onnx").read_bytes()


def test_the_space_is_that_of_the_files(tmp_path: Path) -> None:
    spaces = []
    for number, turn in enumerate(([0, 1, 0], [0, 1, 0], [1, 0, 0])):
        folder = write_encoder(tmp_path / f"encoder{number}", AXES | {"the": turn})
        (tmp_path / f"out{number}").mkdir()
        spaces.append(install(ArticlesConfig(encoder="onnx"), folder, tmp_path / f"out{number}").space)
    assert spaces[0] == spaces[1] != spaces[2]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("nowhere.at:All", "No module"), ("tests.test_sentences:Nobody", "has no attribute"), ("json:loads", "made by")],
)
def test_a_class_that_is_none_is_refused(tmp_path: Path, name: str, complaint: str) -> None:
    with pytest.raises(RecsysError, match=complaint):
        load_sentence_encoder(name, tmp_path)


@pytest.mark.parametrize("name", ["bert", "../encoder", "a:b:c", "onnx:", ":Class"])
def test_a_name_that_is_none_is_no_setting(name: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        ArticlesConfig(encoder=name)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (asleep, "within 0.1 s"),
        (raising, "failed"),
        (lambda text: [[1, 2]], "shape"),
        (lambda text: [len(text)] * (3 if text[0] > "z" else 2), "one dimension"),
        (lambda text: [len(text)] * 5000, "4096"),
    ],
)
def test_what_shows_at_once_is_refused(answer: Callable[[str], npt.ArrayLike], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        probed(Broken(answer), "it", seconds=0.1)


def test_an_encoder_that_takes_seconds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "SLOWEST_MS", 0.0)
    with pytest.raises(ConfigError, match="100 ms are what a live article may take"):
        probed(Broken(lambda text: [len(text), 1]), "it")


# --- what breaks later


def test_an_answer_that_is_late_costs_one_wait_and_not_one_for_each_article() -> None:
    slept: list[str] = []

    def slow(text: str) -> npt.ArrayLike:
        slept.append(text)
        time.sleep(0.4)
        return [1, 2]

    encoder = TimedEncoder(Broken(slow))
    began = time.monotonic()
    assert [encoder.encode("a text", 0.1)[1] for _ in range(50)] == [EncodingOutcome.LATE] * 50
    assert time.monotonic() - began < 0.35
    time.sleep(0.5)
    assert encoder.encode("another", 2.0)[1] is EncodingOutcome.ENCODED  # it has come back
    assert slept == ["a text", "another"]


def test_what_is_no_vector_is_none_and_is_counted() -> None:
    answers: dict[str, list[float]] = {"nan": [np.nan, 1.0], "zero": [0, 0], "long": [1, 2, 3], "good": [3, 4]}
    vectors = SentenceVectors(Broken(lambda text: answers[text]), 2, "s", 1)
    rows, outcomes = vectors.read(["nan", "zero", "", "long", "unknown", "good"])
    assert np.isnan(rows[:5]).all()
    assert rows[5].tolist() == pytest.approx([0.6, 0.8])
    assert counted(outcomes) == {"empty": 1, "late": 0, "failed": 1, "no_vector": 3}


# --- a newsroom


def axes_of_topics(D: int = 5) -> dict[str, npt.ArrayLike]:
    """Every word of a topic near its axis."""
    rng = np.random.default_rng(3)
    words = {word: np.eye(D)[place] for place, topic in enumerate(TOPICS) for word in TOPICS[topic].split()}
    return {word: axis + rng.normal(0, 0.2, D) for word, axis in words.items()} | {
        UNKNOWN: rng.normal(0, 0.1, D),
        "the": rng.normal(0, 0.1, D),  # by which the texts that try an encoder differ
    }


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A toy newsroom whose article vectors are the ONNX encoder's."""
    folder = tmp_path_factory.mktemp("onnx")
    write_encoder(folder / "encoder", axes_of_topics())
    settings = toy_settings(folder, articles={"encoder": "onnx"})
    withheld = fill_toy(settings)
    train(settings)
    return Toy(settings, withheld, {f"{name}-{n}": name for name in TOPICS for n in range(ARTICLES_A_TOPIC)})


def test_a_release_carries_the_encoder_and_what_it_does_not_need_stays(encoded: Toy) -> None:
    files = encoded.release().manifest["files"]
    assert {"articles/encoder/model.onnx", "articles/encoder/tokenizer.json", "articles/centre.safetensors"} <= {*files}
    assert not {"articles/encoded.npy", "articles/texts.npy"} & {*files}
    assert {"articles/idf/vectors.npy", "articles/idf/common.safetensors"} <= {*files}  # the click model reads both
    assert len(files["articles/encoder/model.onnx"]["sha256"]) == 64


def test_the_dimension_of_articles_is_not_that_of_words(encoded: Toy) -> None:
    release = encoded.release()
    assert load_npy(release.path("articles") / "vectors.npy").shape[1] == 5
    assert load_npy(release.path("words") / "vectors.npy").shape[1] == QUICK["words"]["embedding_dim"]
    words = read_json(release.path("words") / "space.json")["space"]
    assert read_json(release.path("articles") / "space.json")["words"] == words


def remade(toy: Toy) -> dict[str, float]:
    """Make the stage articles if it is not up to date; its counts."""
    run_stages(toy.context, [stage_of("articles")])
    return dict(toy.context.workspace.record("articles").facts)


def test_articles_of_a_topic_are_near_each_other_by_the_encoder(encoded: Toy) -> None:
    """So few articles have no mean to be seen from: vectors are as the encoder gives them."""
    folder = encoded.release().path("articles")
    vectors = load_npy(folder / "vectors.npy")
    cosines = vectors @ vectors.T
    same = np.kron(np.eye(2), np.ones((8, 8))) > 0
    assert cosines[same].min() > 0.7 > 0.4 > cosines[~same].max()


def test_an_article_put_over_http_has_its_vector_at_once_and_it_is_that_of_the_night(
    encoded: Toy, tmp_path: Path
) -> None:
    """The title and text of a known article: the live path gives, bit for bit, what the night gave."""
    words = TOPICS["markets"].split()
    with serving(copy_of(encoded, tmp_path)) as service:
        key = {"Authorization": f"Bearer {service.store.add_token('cms', Scope.WRITE, SITE)}"}
        body = {"title": " ".join(words[:4]), "body": " ".join(words[4:12]), "language": "en"}
        answer = service.client.put("/api/v1/articles/fresh", json=body, headers=key)
        assert answer.status_code == 201, answer.text
        service.live.refresh()
        state = service.live._frame.state
        vector = state.article_vectors[state.catalogue.row_of["fresh"]]
        mean = state.idf_vectors[state.catalogue.row_of["fresh"]]
        near = service.get("/api/v1/articles/fresh/similar", k=5)["items"]
        assert 'recsys_encoded_articles_total{outcome="encoded"}' in exposition().decode()
    assert np.isfinite(vector).all()
    assert np.abs(mean).max() == 127
    assert [one["id"].partition("-")[0] for one in near] == ["markets"] * 5
    encoder = SentenceVectors(load_sentence_encoder("onnx", encoded.release().path("articles") / "encoder"), 5, "", 1)
    night = encoder.read([readable(body["title"], body["body"], frozenset())])[0]
    assert vector.tolist() == encoder.centred(night, ["en"])[0].tolist()


def test_a_late_answer_leaves_a_live_article_without_a_vector_and_the_worker_goes_on(
    encoded: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.articles.onnx_encoder.OnnxEncoder.encode", asleep)
    monkeypatch.setattr("recsys.articles.pretrained.LIVE_SECONDS", 0.05)
    with serving(copy_of(encoded, tmp_path)) as service:
        service.store.put_articles([article(f"n{n}", body=TOPICS["markets"], published_at=now_ms()) for n in range(5)])
        service.live.refresh()
        state = service.live._frame.state
        rows = [state.catalogue.row_of[f"n{n}"] for n in range(5)]
        assert np.isnan(state.article_vectors[rows]).all()
        assert {f"n{n}" for n in range(5)} & set(service.ids(k=20))  # it is shown all the same


def test_a_text_that_has_not_changed_is_not_read_again(encoded: Toy, tmp_path: Path) -> None:
    toy = Toy(copy_of(encoded, tmp_path), {}, {}).settings
    toy = toy.model_copy(update={"articles": ArticlesConfig(encoder="onnx"), "events": encoded.settings.events})
    here = Toy(toy, {}, {})
    before = load_npy(here.context.workspace.verified("articles") / "vectors.npy")
    assert here.context.workspace.record("articles").facts["read"] == 16
    with serving(toy) as service:
        service.store.put_articles([article("new", title="goal", body="keeper"), article("markets-1", title="goal")])
    run_stages(here.context, [stage_of(name) for name in ("events", "tokens", "words", "keywords")])
    facts = remade(here)
    assert (facts["articles"], facts["read"]) == (17, 2)
    after = load_npy(here.context.workspace.verified("articles") / "vectors.npy")
    assert after[:8].tobytes() == before[:8].tobytes()  # football's


def test_another_encoder_reads_everything_again_in_its_own_dimension(encoded: Toy, tmp_path: Path) -> None:
    toy = copy_of(encoded, tmp_path).model_copy(update={"articles": ArticlesConfig(encoder="onnx")})
    here = Toy(toy.model_copy(update={"events": encoded.settings.events}), {}, {})
    assert not run_stages(here.context, [stage_of("articles")])  # the same files: up to date
    write_encoder(tmp_path / "encoder", axes_of_topics(D=9))
    facts = remade(here)
    assert (facts["read"], facts["dimensions"], facts["late"], facts["no_vector"]) == (16, 9, 0, 0)
    train(here.settings)
    assert load_npy(here.release().path("articles") / "vectors.npy").shape == (16, 9)


def test_an_encoder_that_fails_most_texts_is_refused_and_the_release_stays(
    encoded: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = ArticlesConfig(encoder="tests.test_sentences:OfSome")
    toy = copy_of(encoded, tmp_path).model_copy(update={"articles": chosen})
    with pytest.raises(DegenerateInput, match="failed"):
        remade(Toy(toy, {}, {}))
    assert Toy(toy, {}, {}).release().name == encoded.release().name


class OfSome(Site):
    """Encoder that raises at what no probe has."""

    def encode(self, text: str) -> npt.NDArray[np.float32]:
        if "council" in text or "委" in text or "市" in text:
            return super().encode(text)
        raise OSError("out of memory")


def test_a_site_may_bring_a_class_of_its_own(encoded: Toy, tmp_path: Path) -> None:
    chosen = ArticlesConfig(encoder="tests.test_sentences:Site")
    toy = copy_of(encoded, tmp_path).model_copy(update={"articles": chosen})
    here = Toy(toy, {}, {})
    with pytest.raises(RefusedRelease, match="neighbours of texts"):  # so different from the last one's: a look first
        train(here.settings)
    published(here.context, force=True)
    with serving(here.settings.model_copy(update={"events": toy.events})) as service:
        assert service.ids(k=3)


def ends_well(code: str) -> bool:
    """True for code that an interpreter of its own runs without an error."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment).returncode == 0


def test_a_worker_that_encodes_has_loaded_neither_torch_nor_pandas() -> None:
    code = (
        "import sys; from web.unused import hide_unused_libraries; hide_unused_libraries();"
        "import recsys.articles.onnx_encoder, recsys.articles.encoding;"
        "sys.exit(bool({'torch', 'pandas', 'scipy', 'gensim', 'onnx'} & set(sys.modules)))"
    )
    assert ends_well(code)


def test_a_site_without_such_an_encoder_loads_no_onnxruntime() -> None:
    code = "import sys, recsys.serving.artefacts; sys.exit(bool({'onnxruntime', 'tokenizers'} & set(sys.modules)))"
    assert ends_well(code)
