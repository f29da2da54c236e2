"""Texts of a report's pages as a reader sees them: what the Chinese ones say as the English ones do."""

import re
from html import unescape
from pathlib import Path

from recsys.report.files import LANGUAGES, PAGES, file_name
from recsys.report.next_click import METHODS

WORD = re.compile("[A-Za-z]{4}")
MODELS = {*METHODS, "popular", "click_rate", "content", "items", "nearest-mean", "linear"}


def nodes(text: str) -> set[str]:
    """The texts of a page, those of its pictures among them, without its head, and without what is another's text."""
    body = text[text.index("<h1>") :]
    for other in (r"<!--.*?-->", r"<metadata>.*?</metadata>", r"<style.*?</style>", r"<li lang=.*?</li>"):
        body = re.sub(other, "", body, flags=re.DOTALL)
    return {unescape(one).strip() for one in re.findall(r">([^<]+)<", body)}


def english_left(folder: Path, own: set[str]) -> dict[str, set[str]]:
    """Page -> what its Chinese file says as the English one, and is neither the site's own nor a model's name."""
    both = {
        page: set.intersection(*(nodes((folder / file_name(page, lang)).read_text()) for lang in LANGUAGES))
        for page in PAGES
    }
    left = {page: {one for one in same if WORD.search(one) and one not in own | MODELS} for page, same in both.items()}
    return {page: same for page, same in left.items() if same}
