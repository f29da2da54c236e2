"""Tokens of articles: rjieba for Chinese, runs of one script in Japanese, one compiled regex for the others.

Reads titles and bodies; produces lower-cased tokens with a part of speech each, the places where phrases end, and what
was learned on the way: new words and collocations (the lexicon), repeated lines, and the classes of English words.
Nothing that a text can hold makes it fail: each kind of odd input has a rule and is counted (docs/text.md).
The files, from the text to the token:

    table         the two tables, of segments and of tokens, and their arrays
    dictionary    the user's words
    clean         markup, boilerplate and variants of a character
    scripts       Japanese, Korean, and scripts without spaces
    chinese       jieba's dictionary with the user's words
    segmenter     text -> words and punctuation
    stopwords     function words of sixteen languages
    counting      counts of words and neighbours in bounded memory
    lexicon       new words and collocations, and the joining of them
    newwords      their discovery
    editors_words decisions of editors on them
    grammar       prior knowledge of English word classes
    classes       word classes, as tags of words
    induction     word classes learned from unlabelled text
    tokenizer     segments -> joined and tagged tokens
    pool          the same in several processes, each a ``worker``
    write         a catalogue -> ``articles.parquet``, ``corpus.txt`` and the tokeniser
"""

from recsys.tokens.lexicon import NO_LEXICON, Lexicon
from recsys.tokens.table import BATCH_ARTICLES, LINE_TOKENS, TOKENS_SCHEMA, Tokens
from recsys.tokens.tokenizer import Tokenizer, load_tokenizer
from recsys.tokens.write import write_tokens

__all__ = [
    "BATCH_ARTICLES",
    "LINE_TOKENS",
    "NO_LEXICON",
    "TOKENS_SCHEMA",
    "Lexicon",
    "Tokenizer",
    "Tokens",
    "load_tokenizer",
    "write_tokens",
]
