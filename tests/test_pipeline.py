"""The toy newsroom through every room: what only one list can be right must come out, from the files to the answer."""

import numpy as np
import pytest

from recsys.runs.stages import STAGES
from recsys.workspace import load_npy, read_json, read_table
from tests.newsroom import ARTICLES_A_TOPIC, NOW, TOPICS, Toy
from web.app import create_app


def table(toy: Toy, stage: str, name: str) -> dict[str, dict[str, object]]:
    rows = read_table(toy.release().path(stage) / name).to_pylist()
    return {row["id"]: row for row in rows}


def test_the_withheld_article_is_recommended_first_to_every_reader(toy: Toy) -> None:
    client = create_app(toy.settings).test_client()
    firsts = {}
    for reader in toy.withheld:
        answer = client.get(f"/api/v1/recommendations?reader={reader}&k=5").get_json()
        assert answer["tier"] == "personal"
        firsts[reader] = answer["items"][0]["id"]
    assert firsts == toy.withheld


def test_articles_without_a_category_are_sorted_into_their_topic(toy: Toy) -> None:
    rows = table(toy, "categories", "articles.parquet")
    sorted_by_machine = {article: row["category"] for article, row in rows.items() if not row["given"]}
    assert len(sorted_by_machine) == 2 * len(TOPICS)
    assert sorted_by_machine == {article: toy.topic[article] for article in sorted_by_machine}


def test_keywords_are_words_of_the_article_and_ranked(toy: Toy) -> None:
    for article, row in table(toy, "keywords", "keywords.parquet").items():
        words = {word for phrase in row["parts"] for word in phrase.split()}  # type: ignore[attr-defined]
        assert words <= set(TOPICS[toy.topic[article]].split())
        weights = row["weights"]
        assert weights == sorted(weights, reverse=True)  # type: ignore[call-overload]


@pytest.mark.parametrize("stage", ["articles", "items"])
def test_the_nearest_neighbours_of_an_article_are_of_its_topic(toy: Toy, stage: str) -> None:
    folder = toy.release().path(stage)
    vectors = load_npy(folder / "vectors.npy")
    topics = [toy.topic[article] for article in read_table(folder / "ids.parquet")["id"].to_pylist()]
    near = np.argsort(-(vectors @ vectors.T), axis=1)[:, 1:4]
    assert all(topics[other] == topics[row] for row in range(len(topics)) for other in near[row])


def test_the_click_model_ranks_the_held_out_impressions_almost_without_error(toy: Toy) -> None:
    figures = read_json(toy.release().path("report") / "metrics.json")["figures"]
    simple = {"popularity", "rules", "item_knn", "v_sknn"}
    assert set(figures) == {"random", "popular", "click_rate", "content", "items", "ctr", *simple}
    assert figures["ctr"]["auc"] > 0.9  # the first visit of a reader cannot be known
    assert figures["content"]["auc"] > 0.85
    assert abs(figures["random"]["auc"] - 0.5) < 0.2


def test_every_stage_is_in_the_release_and_the_manifest_tells_its_counts(toy: Toy) -> None:
    manifest = toy.release().manifest
    assert set(manifest["stages"]) == set(STAGES)
    assert manifest["stages"]["tokens"]["articles"] == 2 * ARTICLES_A_TOPIC
    assert manifest["config"]["items"]["embedding_dim"] == 8
    assert "url" not in manifest["config"]["store"]
    assert manifest["created_at"] > NOW - 10**12


def test_no_file_of_a_release_can_run_code_when_it_is_opened(toy: Toy) -> None:
    kinds = {file.rpartition(".")[2] for file in toy.release().manifest["files"]}
    assert kinds <= {"arrow", "npy", "parquet", "json", "safetensors", "faiss", "txt", "html"}
