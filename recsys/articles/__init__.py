"""Article vectors: the subject of an article as one vector in the space of its words.

Reads tokens, keywords and word vectors; produces one vector per article, and the ``ArticleEncoder`` that takes one
article from its text to its vector when it is posted, through the same functions as the batch.

    vectors     from words to a vector, in three ways
    plane       vectors -> a plane on which categories lie apart
    encoding    a whole catalogue, and one live article
"""

from recsys.articles.encoding import ArticleEncoder, EncodedArticle, load_encoder, write_articles
from recsys.articles.vectors import Texts, TextVectors, keyword_means, load_text_vectors, text_vectors

__all__ = [
    "ArticleEncoder",
    "EncodedArticle",
    "TextVectors",
    "Texts",
    "keyword_means",
    "load_encoder",
    "load_text_vectors",
    "text_vectors",
    "write_articles",
]
