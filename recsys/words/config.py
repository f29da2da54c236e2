"""Settings of word vectors."""

from pydantic import Field

from recsys.config import Section


class WordsConfig(Section):
    """Settings of word vector training."""

    model: str = Field(
        "skip-gram",
        pattern="^(skip-gram|cbow|glove|pv-dm|pv-dbow)$",
        description=(
            "skip-gram | cbow | glove | pv-dm | pv-dbow: skip-gram is best on small corpora, cbow three times as "
            "fast; pv-dm and pv-dbow learn vectors of texts, too"
        ),
    )
    output: str = Field(
        "negative-sampling",
        pattern="^(negative-sampling|hierarchical-softmax)$",
        description="negative-sampling | hierarchical-softmax: the latter favours rare words; glove uses neither",
    )
    embedding_dim: int = Field(
        100,
        ge=2,
        le=2000,
        description="dimensions of a word vector: more of them need more text than most sites have",
    )
    window: int = Field(
        8,
        ge=1,
        le=63,
        description="words on each side that count as context: wide windows learn topics rather than grammar",
    )
    min_count: int = Field(
        2,
        ge=1,
        description=(
            "occurrences that a word needs in the corpus to get a vector; 1 is used where fewer than two words reach it"
        ),
    )
    epochs: int = Field(
        15,
        ge=1,
        description="passes over the corpus: the few hundred thousand words of a small site need many",
    )
    max_trained_words: int = Field(
        40_000_000,
        ge=1,
        description="words read in all passes together: a large corpus gets fewer epochs, never less than one",
    )
    learning_rate: float = Field(
        0.05,
        gt=0,
        le=1,
        description=(
            "step size at the start, which falls to 0.0001; twice gensim's default, because a site's corpus is small"
        ),
    )
    subsample: float = Field(
        1e-3,
        ge=0,
        description="share of the corpus above which some occurrences of a word are skipped; 0: none are",
    )
    start: str = Field(
        "random",
        pattern="^(random|last)$",
        description="random | last: from scratch, or from the last space, on new articles only; its words stay",
    )
    pretrained: str = Field(
        "",
        description=(
            "file of word vectors (word2vec text or binary, GloVe, fastText .vec) that training starts from; empty: "
            "none"
        ),
    )
    similarity_files: tuple[str, ...] = Field(
        (),
        description="files: pairs of words with human scores, tab between, that judge vectors beside the English ones",
    )
