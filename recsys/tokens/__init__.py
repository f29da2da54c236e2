"""Cut articles into words: rjieba for Chinese, runs of one script in Japanese, one compiled regex for the others.

Reads titles and bodies; produces lower-cased tokens with a part of speech each, the places where phrases end, and what
was learned on the way: new words and collocations (the lexicon), repeated lines, and the classes of English words.
Nothing that a text can hold makes it fail: each kind of odd input has a rule and is counted (docs/design.md).
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
