"""The stage that expects clicks: from the log and the categories to the files of a release."""

from pathlib import Path

import numpy as np

from jobs.runner import Context, run_stage
from jobs.stages import stage_of
from recsys.forecast.expected import WHOLE_SITE, load_expected
from recsys.settings import Settings
from recsys.units import HOUR_MS
from recsys.workspace import read_table, write_table
from tests.newsroom import NOW, TOPICS, fill_almost_nothing, fill_toy, toy_settings


def forecast(settings: Settings) -> Context:
    """Make the stages events and forecast; the categories between are those that the articles came with."""
    context = Context(settings, seed=1)
    run_stage(context, *stage_of("events"))
    articles = read_table(context.workspace.path("events") / "articles.parquet", columns=["id", "category"])
    with context.workspace.write("categories", "mark", {}) as out:
        write_table(out / "articles.parquet", articles)
    assert run_stage(context, *stage_of("forecast"))
    assert not run_stage(context, *stage_of("forecast"))  # nothing has changed
    return context


def test_the_night_expects_clicks_of_the_site_and_of_each_section(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    fill_toy(settings)
    context = forecast(settings)
    told = load_expected(context.workspace.path("forecast"))
    assert told.names[0] == WHOLE_SITE
    assert set(told.names[1:]) == set(TOPICS)
    assert NOW - 24 * HOUR_MS < told.start <= NOW
    begin = told.start + 12 * HOUR_MS
    whole, *parts = (told.rate(name, begin, begin + HOUR_MS) for name in told.names)
    assert whole is not None
    assert np.isfinite(whole).all()
    assert all(part is not None and 0 < part[0] < whole[0] for part in parts)
    record = context.workspace.finished("forecast")
    assert record is not None
    assert record.facts["series"] == 1 + len(TOPICS)


def test_a_site_without_a_dated_click_expects_nothing(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    fill_almost_nothing(settings)
    told = load_expected(forecast(settings).workspace.path("forecast"))
    assert told.names == []
    assert told.band(WHOLE_SITE, NOW, NOW + HOUR_MS) is None
