"""The making of lists, as the page says it: from this site's configuration, and nothing that does not hold."""

from pathlib import Path

import pytest

from recsys.units import DAY_MS, now_ms
from tests.newsroom import SITE
from tests.service import article, fill, plain_settings, serving
from web.demo.making import ListFacts, notice, sentences

FACTS = ListFacts(50, 8.0, 48.0, 3, 0.2, 2, is_trained=True)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_fact_is_said_and_what_is_switched_off_is_not(lang: str) -> None:
    text = " ".join(sentences(FACTS, lang))
    for number in ("50", "8", "48", "3", "20", "2"):
        assert number in text
    assert "{" not in text + notice(lang, 0)
    other = " ".join(sentences(ListFacts(9, 8.0, 48.0, 3, 0.0, 0, is_trained=False), lang))
    assert "100" not in other, "nothing is tried"
    assert ("No model" in other) or ("还没有训练" in other)


def test_the_page_says_what_holds_on_this_site(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path).model_copy()
    fill(settings, article("a1"))
    with serving(settings) as site:
        page = site.client.get("/about?lang=en").text
        assert "now they have fixed none" in page
        assert f"the last {settings.readers.max_history} stories" in page
        assert "No model has been trained yet" in page
        site.store.pin_article(SITE, "a1", "test", place=1, until=now_ms() + DAY_MS)
        site.live.take_down()
        assert "put 1 of the stories at a fixed place" in site.client.get("/about?lang=en").text
        chinese = site.client.get("/about?lang=zh").text
        assert "这份名单是怎样排出来的" in chinese
        assert "固定在某个位置" in chinese
