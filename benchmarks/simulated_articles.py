"""Made-up articles in any number, whose counts behave like those of real text.

Produces JSON lines that ``python -m jobs import jsonl`` reads. Words are drawn by Zipf's law from about 100,000, each
content word either from the whole vocabulary or from that of the article's topic, which is its category; sentences
follow templates of word classes whose words carry the suffixes of their class, so that word classes, phrases, keywords
and categories have something to find. No text of anybody is in it.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.errors import ImportRefused

TOPICS = 20
TOPICAL = 0.4  # share of the content words that come from the article's topic
TITLE_WORDS = 8
BATCH = 500  # articles drawn at once
CYCLE = 5_000  # slots of the stretch of grammar from which each article takes a part

FUNCTION, NOUN, VERB, ADJECTIVE, ADVERB = range(5)
SIZES = {NOUN: 60_000, VERB: 15_000, ADJECTIVE: 20_000, ADVERB: 5_000}
SUFFIXES = {
    NOUN: ("", "s", "er", "tion", "ness", "ment"),
    VERB: ("ed", "ing", "ise", "es"),
    ADJECTIVE: ("al", "ive", "ous", "ic"),
    ADVERB: ("ly",),
}
TEMPLATES = ("fnfvffn", "fanvffnn", "fnvffnffan", "fffvffnfn", "fnnvfdvffan", "nfnfvfdan")  # first letters of classes
LETTER = {"f": FUNCTION, "n": NOUN, "v": VERB, "a": ADJECTIVE, "d": ADVERB}
CONSONANTS = "b br c d dr f g gr h k l m n p pl r s st t tr v"
ENGLISH_FUNCTION = "the of to and in a for on with by at from that as is was its into about after over under"
CHINESE_FUNCTION = "的 了 在 是 和 与 对 把 被 从 向 也 都 就 而"
CHINESE_CHARACTERS = (
    "大小中上下前后东西南北水火土木金石山河海天地日月风雨云雪人民国家市县城乡村路车船机场站桥楼房门窗"
    "学校生师书文字语言科技电网信息数据工农商业公司厂店银行资本股票价格税收法律院局部长官员会议案例政府"
    "军警医药病健康体育球队赛手足心头眼口耳新旧高低长短快慢多少好坏远近冷热红黄蓝绿白黑青春夏秋冬年季"
)

Rows = npt.NDArray[np.int64]


class Language(NamedTuple):
    """Recipe of one language's articles.

    Attributes:
        words: function words, then the content words class by class.
        starts: class -> row of its first word in ``words``.
        sizes: class -> number of its words.
        between: what stands between two words.
        end: what ends a sentence.
    """

    words: list[str]
    starts: Rows
    sizes: Rows
    between: str
    end: str


def english(rng: np.random.Generator) -> Language:
    """Made-up words of two or three syllables with the suffixes of their class."""
    syllables = [head + vowel for head in CONSONANTS.split() for vowel in "aeiou"]
    content = {kind: _words(syllables, size, rng) for kind, size in SIZES.items()}
    for kind, ends in SUFFIXES.items():
        content[kind] = [word + ends[place % len(ends)] for place, word in enumerate(content[kind])]
    return _language(ENGLISH_FUNCTION.split(), content, " ", ".")


def chinese(rng: np.random.Generator) -> Language:
    """Two or three common characters a word."""
    content = {kind: _words(list(CHINESE_CHARACTERS), size, rng) for kind, size in SIZES.items()}
    return _language(CHINESE_FUNCTION.split(), content, "", "。")


def _words(parts: list[str], size: int, rng: np.random.Generator) -> list[str]:
    """Words of two parts, every other one of three."""
    one, two, three = np.array(parts, object)[rng.integers(len(parts), size=(3, size))]
    three[::2] = ""
    words: list[str] = (one + two + three).tolist()
    return words


def _language(function: list[str], content: dict[int, list[str]], between: str, end: str) -> Language:
    lists = [function, *(content[kind] for kind in sorted(content))]
    sizes = np.array([len(words) for words in lists])
    starts = np.cumsum(sizes) - sizes
    return Language([word for words in lists for word in words], starts, sizes, between, end)


def write_articles(file: Path, articles: int, words: int, chinese_share: float, seed: int) -> None:
    """Write articles as JSON lines with id, title, body and category.

    Args:
        file: where to.
        articles: how many.
        words: of each body.
        chinese_share: share of the articles that are in Chinese, in [0, 1].
        seed: of all randomness.

    Raises:
        ImportRefused: no article or no word is asked for.
    """
    if articles < 1 or words < 1 or not 0 <= chinese_share <= 1:
        raise ImportRefused(
            "at least one article of one word", f"{articles} of {words}, {chinese_share} Chinese", "Ask for more."
        )
    rng = np.random.default_rng(seed)
    languages = [english(rng), chinese(rng)] if chinese_share else [english(rng)]
    with file.open("w", encoding="utf-8") as lines:
        for start in range(0, articles, BATCH):
            number = min(BATCH, articles - start)
            topics = rng.integers(TOPICS, size=number)
            which = (rng.random(number) < chinese_share).astype(int).tolist()
            rows, ends = draw_rows(topics, words + TITLE_WORDS, languages[0], rng)
            for place, topic in enumerate(topics.tolist()):
                title, body = as_text(languages[which[place]], rows[place], ends[place])
                row = {"id": f"s{start + place:09}", "title": title, "body": body, "category": f"topic{topic:02}"}
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")


def draw_rows(
    topics: Rows, words: int, language: Language, rng: np.random.Generator
) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """Draw the words of a batch of articles.

    Args:
        topics: int64 (B,), each article's topic.
        words: of each article, W.
        language: only its sizes are used, which are the same in all.
        rng: draws everything.

    Returns:
        int64 (B, W), rows of ``language.words``; bool (B, W), words that end a sentence.
    """
    templates = rng.choice(TEMPLATES, CYCLE // 6)
    kinds = np.array([LETTER[letter] for template in templates for letter in template])
    last = np.array([place == len(t) - 1 for t in templates for place in range(len(t))])
    slots = (rng.integers(len(kinds), size=len(topics))[:, None] + np.arange(words)) % len(kinds)  # (B, W)
    kind = kinds[slots]
    size = language.sizes[kind].astype(np.float64)
    topical = (rng.random(kind.shape) < TOPICAL) & (kind != FUNCTION)
    reach = np.where(topical, size / TOPICS, size)
    rank = np.floor(reach ** rng.random(kind.shape)).astype(np.int64) - 1  # density 1 / rank: Zipf's law
    rank = np.where(topical, rank * TOPICS + topics[:, None], rank)
    return language.starts[kind] + np.minimum(rank, language.sizes[kind] - 1), last[slots]


def as_text(language: Language, rows: Rows, ends: npt.NDArray[np.bool_]) -> tuple[str, str]:
    """Title and body of one article: the first words are the title's, sentences end with a mark and begin large."""
    words = [language.words[row % len(language.words)] for row in rows.tolist()]
    body, capital = [], True
    for word, ended in zip(words[TITLE_WORDS:], ends[TITLE_WORDS:].tolist(), strict=True):
        body.append((word.capitalize() if capital else word) + (language.end if ended else ""))
        capital = ended
    return language.between.join(words[:TITLE_WORDS]), language.between.join(body) + language.end
