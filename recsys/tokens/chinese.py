"""Chinese words: jieba's dictionary, with the user's words.

Importing rjieba loads its dictionary, 33 MiB: ``segmenter`` loads this file with the first Chinese text.
"""

import functools

import rjieba

from recsys.tokens.clean import normalise
from recsys.tokens.dictionary import user_entries
from recsys.tokens.segmenter import ChineseDictionary


@functools.cache
def chinese_dictionary(user_words: tuple[str, ...], simplify: bool) -> ChineseDictionary:
    """The dictionary with the user's words; without any, rjieba's own: a second one takes 25 MiB."""
    entries = [entry for entry in user_entries(user_words) if len(entry.parts) == 1]
    if not entries:
        return rjieba
    jieba = rjieba.Jieba()
    for entry in entries:
        jieba.add_word(normalise(entry.parts[0], simplify=simplify), entry.freq, entry.tag)
    return jieba
