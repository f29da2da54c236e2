"""Settings of the keyword ranking."""

from pydantic import Field

from recsys.config import Section


class KeywordsConfig(Section):
    """Settings of the keyword ranking; each lever's description names the value that switches it off."""

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
    word_classes: bool = Field(
        True,
        description="true: phrases are nouns with what describes them; false: whatever stands between stop words",
    )
    merge_forms: bool = Field(True, description='true: "bank" and "banks" are one word; false: two')
    drop_contained: bool = Field(True, description="true: a phrase within a better one is left out; false: both stay")
    max_article_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description=(
            "share of a language's articles: a word that stands in more is no keyword (from 50 articles on); 1: all "
            "may be"
        ),
    )
    max_candidates: int = Field(
        300,
        ge=2,
        description="phrases of an article that vote, the heaviest first; time grows with its square",
    )
    rarity: float = Field(
        1.0,
        ge=0,
        le=4,
        description="exponent of a word's inverse document frequency; 0: a common word weighs as much",
    )
    position: float = Field(
        1.0,
        ge=0,
        le=4,
        description="exponent of the place where a phrase stands first; 0: the end weighs as much as the headline",
    )
    frequency: float = Field(
        0.5,
        ge=0,
        le=4,
        description=(
            "exponent of a phrase's occurrences: a square root, since its words count already; 0: one is enough"
        ),
    )
    length_discount: float = Field(
        0.25,
        ge=0,
        le=1,
        description="exponent of a phrase's length by which the sum of its words is divided: 0 sums, 1 averages",
    )
    word_chars: float = Field(
        0.5,
        ge=0,
        le=4,
        description=(
            "exponent of the mean length of a phrase's words: long words say more than short ones; 0: no difference"
        ),
    )
    single_word: float = Field(
        0.3,
        gt=0,
        le=1,
        description="weight of a phrase of one word, which says less than a longer one; 1: no less",
    )
    before_of: float = Field(
        0.5,
        gt=0,
        le=1,
        description=(
            'weight of a phrase before "of", a part or measure of what follows ("number of votes"); 1: no less'
        ),
    )
    damping: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="share of a vote that follows an edge of the graph, the rest restarts; 0: no graph",
    )
    voters: float = Field(
        5.0,
        ge=0,
        description=(
            "phrases of a text at which half of the damping is reached, because few voters know little; 0: all of it "
            "always"
        ),
    )
    top_edges: int = Field(0, ge=0, description="strongest edges kept per phrase; 0: all, which ranked as well")
    centred: bool = Field(
        True,
        description="true: votes by vectors less the mean of the corpus; false: as trained, where all words are alike",
    )
    distinct_votes: bool = Field(
        True,
        description="true: phrases that share a word do not vote for each other; false: they do",
    )
