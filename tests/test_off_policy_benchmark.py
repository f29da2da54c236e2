"""The benchmark of off-policy estimation: files, policies of logs, simulated logs of known value, the command."""

import csv
import gzip
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.off_policy import __main__ as benchmark
from benchmarks.off_policy.chart import draw
from benchmarks.off_policy.data import cross_fitted_rates, read_logs, shown_shares
from benchmarks.off_policy.judging import by_position, judge
from benchmarks.off_policy.simulated import PEAKED, USUAL, bandits, draw_log, other_intervals, repeat, simulate
from recsys.errors import DegenerateInput, ImportRefused, InputError
from recsys.metrics.off_policy import weight_figures

HEADER = "timestamp,item_id,position,click,propensity_score"


def write(folder: Path, name: str, *lines: str, header: str = HEADER) -> Path:
    file = folder / name
    file.write_text("\n".join([header, *lines]) + "\n")
    return file


def test_two_files_share_one_numbering_of_articles_and_positions(tmp_path: Path) -> None:
    one = write(tmp_path, "one.csv", "t,7,1,0,0.5", "t,12,3,1,0.25")
    other = write(tmp_path, "other.csv", "t,12,2,0,0.125")
    (first, second), articles, positions = read_logs([one, other])
    assert (articles, positions) == (2, 3)
    assert second.article.tolist() == [first.article[1]]
    assert first.position.tolist() == [0, 2]
    assert second.position.tolist() == [1]
    assert first.propensity.tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("header", "line", "error", "message"),
    [
        ("timestamp,item_id,position,click", "t,1,1,0", ImportRefused, "odd.csv without propensity_score"),
        ("timestamp,item_id,click,propensity_score", "t,1,0,.5", ImportRefused, "odd.csv without position"),
        (HEADER, "t,1,,0,0.5", DegenerateInput, "positions as whole numbers"),
        (HEADER, "t,1,first,0,0.5", DegenerateInput, "positions as whole numbers"),
        (HEADER, "t,,1,0,0.5", DegenerateInput, "articles as whole numbers"),
        (HEADER, "t,1,1,0,", DegenerateInput, "propensities above 0.*nan in row 0"),
        (HEADER, "t,1,1,0,0", DegenerateInput, "propensities above 0"),
        (HEADER, "t,1,1,yes,0.5", DegenerateInput, "clicks of 0 and 1"),
        (HEADER, "t,1,1,0.5,0.5", DegenerateInput, "clicks of 0 and 1"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    tmp_path: Path, header: str, line: str, error: type[InputError], message: str
) -> None:
    good = write(tmp_path, "good.csv", "t,1,1,0,0.5")
    with pytest.raises(error, match=message):
        read_logs([write(tmp_path, "odd.csv", line, header=header), good])


def test_a_file_without_rows_or_without_anything_is_refused(tmp_path: Path) -> None:
    good = write(tmp_path, "good.csv", "t,1,1,0,0.5")
    with pytest.raises(DegenerateInput, match="an empty log"):
        read_logs([write(tmp_path, "odd.csv"), good])
    (tmp_path / "nothing.csv").write_text("")
    with pytest.raises(ImportRefused, match="nothing"):
        read_logs([tmp_path / "nothing.csv", good])


def test_the_policy_of_a_log_is_what_it_showed_at_each_position(tmp_path: Path) -> None:
    lines = ["t,1,1,0,.5", "t,1,1,0,.5", "t,2,1,0,.5", "t,2,2,1,.5"]
    (log,), articles, positions = read_logs([write(tmp_path, "log.csv", *lines)])
    assert shown_shares(log, positions, articles) == pytest.approx(np.array([[2 / 3, 1 / 3], [0, 1]]))
    assert shown_shares(log, 3, articles)[2].tolist() == [0.5, 0.5]


def test_click_rates_of_a_half_know_nothing_of_its_own_clicks() -> None:
    _, bandit = next(bandits(np.random.default_rng(0)))
    log, _ = draw_log(bandit, 400, np.random.default_rng(1))
    half = np.arange(400) % 2
    rates = cross_fitted_rates(log, 3, 30, half)
    flipped = type(log)(log.article, log.position, np.where(half == 0, 1 - log.click, log.click), log.propensity)
    again = cross_fitted_rates(flipped, 3, 30, half)
    assert np.array_equal(rates[:3], again[:3])
    assert not np.array_equal(rates[3:], again[3:])


def test_simulated_propensities_are_those_of_the_draws_and_weights_average_to_one() -> None:
    for name, bandit in bandits(np.random.default_rng(3)):
        assert bandit.logging.sum(axis=1) == pytest.approx(1.0)
        if name not in ("too far", PEAKED):  # of those the mean is told by a few rows
            log, target = draw_log(bandit, 100_000, np.random.default_rng(4))
            assert weight_figures(log, target).mean == pytest.approx(1.0, abs=0.1)


def test_the_bootstrap_of_clicked_rows_alone_is_the_bootstrap_of_all_rows() -> None:
    _, bandit = next(bandits(np.random.default_rng(0)))
    rng = np.random.default_rng(1)
    log, target = draw_log(bandit, 2_000, rng)
    reward = target.probability / log.propensity * log.click
    means = [reward[rng.integers(2_000, size=2_000)].mean() for _ in range(2_000)]
    _, low, high = other_intervals(log, target, rng)["ips_bootstrap"]
    assert (low, high) == pytest.approx(np.quantile(means, [0.025, 0.975]), rel=0.12)


def test_simulated_intervals_hold_the_true_value_where_the_usual_ones_do_not() -> None:
    bandit = dict(bandits(np.random.default_rng(1)))[PEAKED]
    rows = repeat(bandit, 6_000, 120, 10.0, seed=2)["estimates"]
    assert rows["ips"]["coverage"] >= 0.95
    assert rows["ips_normal"]["coverage"] < 0.92
    assert rows["ips_largest"]["width"] > 3 * rows["ips"]["width"]


def test_a_log_of_almost_the_opposite_policy_is_refused() -> None:
    far = dict(simulate(3_000, 10, 10.0, seed=1))["too far"]
    assert far["refused"] == 1.0
    assert set(far["estimates"]) == {"dm", *USUAL}
    assert far["estimates"]["ips_normal"]["coverage"] < 0.5  # what the refusal spares


@pytest.mark.shared_data
def test_real_logs_give_what_the_published_formulas_give(shared_data: Path) -> None:
    files = [shared_data / "bandit" / name for name in ("bts_men.csv.gz", "random_men.csv.gz")]
    (own, other), articles, positions = read_logs(files)
    policy = shown_shares(own, positions, articles)
    found = judge(other, by_position(other, policy, np.random.default_rng(1)), 10.0)
    above, below, squares, n = 0.0, 0.0, 0.0, 10_000
    with gzip.open(files[1], "rt") as lines, gzip.open(files[0], "rt") as target:
        shown = Counter((row["position"], row["item_id"]) for row in csv.DictReader(target))
        at = Counter(position for position, _ in shown.elements())
        for row in csv.DictReader(lines):
            share = shown[row["position"], row["item_id"]] / at[row["position"]]
            weight = share / float(row["propensity_score"])
            above, below, squares = above + weight * int(row["click"]), below + weight, squares + weight**2
    values = {name: value.value for name, value in found.values.items() if not isinstance(value, str)}
    assert (values["ips"], values["snips"]) == pytest.approx((above / n, above / below), abs=1e-12)
    assert found.weights[:1] == pytest.approx((below**2 / squares,), rel=1e-12)


def logs(folder: Path, rows: int = 3_000) -> list[str]:
    """Two logs of four articles and two positions, uniform and not."""
    rng, files = np.random.default_rng(8), []
    for name, shares in (("logged", [0.4, 0.3, 0.2, 0.1]), ("random", [0.25] * 4)):
        drawn = zip(rng.choice(4, rows, p=shares), rng.integers(1, 3, rows), rng.random(rows) < 0.05, strict=True)
        lines = [f"t,{item},{position},{int(click)},{shares[item]}" for item, position, click in drawn]
        files += [f"--{name}", str(folder / f"{name}.csv.gz")]
        with gzip.open(folder / f"{name}.csv.gz", "wt") as out:
            out.write("\n".join([HEADER, *lines]) + "\n")
    return files


def test_the_command_prints_both_ways_and_says_what_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "p.svg"
    options = [*logs(tmp_path), "--repetitions", "12", "--rows", "1500", "--plot", str(picture)]
    monkeypatch.setattr(sys, "argv", ["off_policy", *options])
    benchmark.main()
    printed = capsys.readouterr().out.strip().splitlines()
    result = json.loads(printed[-1])
    assert {"ours", "baselines", "best", "seed"} <= set(result)
    one = result["ours"]["logged.csv.gz"]
    assert one["from"] == "random.csv.gz"
    assert one["effective_size"] == pytest.approx(3_000 / (4 * (0.16 + 0.09 + 0.04 + 0.01)), rel=0.05)
    assert one["ips"][1] < one["on_policy"][0] < one["ips"][2]
    assert "ips" in result["ours"]["simulated"]["near"]["estimates"]
    assert "ips_normal" in result["baselines"]["simulated"]["near"]["estimates"]
    assert any(line.startswith("simulated: 12 logs of 1,500 rows") for line in printed)
    assert "Simulated logs" in picture.read_text()


def test_equal_figures_draw_equal_pictures(tmp_path: Path) -> None:
    table = dict(simulate(1_500, 4, 10.0, seed=1))
    ours, usual = benchmark.split(table)
    for name in ("a.svg", "b.svg"):
        draw(ours, usual, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_command_ends_with_the_reason_where_a_log_has_no_propensities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, "log.csv", "t,1,1,0", header="timestamp,item_id,position,click")
    monkeypatch.setattr(sys, "argv", ["off_policy", "--logged", str(file), "--random", str(file)])
    with pytest.raises(SystemExit, match="without propensity_score"):
        benchmark.main()
