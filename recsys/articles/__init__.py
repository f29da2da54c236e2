"""Article vectors: the subject of an article as one vector in the space of its words.

Reads tokens, keywords and word vectors; produces one vector per article, and the ``ArticleEncoder`` that takes one
article from its text to its vector when it is posted, through the same functions as the batch.

    vectors       from words to a vector, in three ways
    sentences     from a text to a vector, by an encoder that was trained elsewhere
    onnx_encoder  a sentence encoder in ONNX form; loaded where a site has chosen it
    pretrained    a whole catalogue by such an encoder
    plane         vectors -> a plane on which categories lie apart
    encoding      a whole catalogue by its words, and one live article
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
