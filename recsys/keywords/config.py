"""Settings of the keyword ranking, and its parameters."""

from dataclasses import dataclass

from pydantic import Field

from recsys.config import Section


class KeywordsConfig(Section):
    """Settings of the keyword ranking."""

    style: str = Field(
        "phrases",
        pattern="^(phrases|words)$",
        description='phrases | words: "interest rate cut", or single words as some news desks tag',
    )
    k: int = Field(
        40,
        ge=1,
        description="keywords kept per article, best first: pages show the first few, article vectors use them all",
    )
    max_words: int = Field(
        5,
        ge=1,
        le=10,
        description="words of a phrase, the last ones of a longer run; 1: neighbours are not merged",
    )


@dataclass(frozen=True)
class RankingParameters:
    """Parameters of the ranking, chosen on news texts and abstracts together; no site gains by others.

    ``python -m benchmarks.keywords --ablation`` switches each off in turn and says what it is worth.
    """

    word_classes: bool = True  # phrases are nouns with what describes them; False: whatever stands between stop words
    merge_forms: bool = True  # "bank" and "banks" are one word
    drop_contained: bool = True  # a phrase within a better one is left out
    max_article_share: float = 0.5  # of a language's articles; a word in more is no keyword (from 50 articles on)
    max_candidates: int = 300  # phrases of an article that vote, the heaviest first: time grows with its square
    rarity: float = 1.0  # exponent of a word's inverse document frequency; 0: a common word weighs as much
    position: float = 1.0  # exponent of a phrase's first place; 0: the end weighs as much as the headline
    frequency: float = 0.5  # exponent of a phrase's occurrences: a square root, since its words are counted already
    length_discount: float = 0.25  # exponent of a phrase's length that divides its words' sum: 0 sums, 1 averages
    word_chars: float = 0.5  # exponent of the mean length of its words: long words say more than short ones
    single_word: float = 0.3  # weight of a phrase of one word, which says less than a longer one
    before_of: float = 0.5  # weight of a phrase before "of", a part or measure of what follows: "number of votes"
    damping: float = 0.5  # share of a vote that follows an edge, the rest restarts; 0: no graph
    half_damping_at: float = 5.0  # phrases of a text at which half of the damping is reached: few voters know little
    top_edges: int = 0  # strongest edges kept per phrase; 0: all, which ranked as well
    centred: bool = True  # votes by vectors less the mean of the corpus; as trained, all words are alike
    distinct_votes: bool = True  # phrases that share a word do not vote for each other


DEFAULT_PARAMETERS = RankingParameters()
