"""Tokeniser: articles are cut, entries of the lexicon joined, and words tagged.

The jobs and the service run the same code: an article that is posted is a batch of one.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.tokens.classes import WordClasses, load_classes
from recsys.tokens.clean import normalise
from recsys.tokens.config import TokensConfig
from recsys.tokens.dictionary import user_entries
from recsys.tokens.lexicon import Joiner, Lexicon, joined_name, load_lexicon
from recsys.tokens.segmenter import Segmenter
from recsys.tokens.table import TOKENS_SCHEMA, SegmentArrays, Tokens, segment_arrays

_TAGGED = ("zh", "en")  # languages whose words have a part of speech

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Tokenizer:
    """Tokeniser of articles, in a batch or one by one.

    Args:
        config: of the tokeniser.
        lexicon: new words, collocations and boilerplate of the corpus.
        classes: the classes of English words.
    """

    def __init__(self, config: TokensConfig, lexicon: Lexicon, classes: WordClasses) -> None:
        self.segmenter, self.classes = Segmenter(config, lexicon.boilerplate, lexicon.site_languages), classes
        user = user_entries(config.user_words)
        parts = {entry: tuple(normalise(part, simplify=config.simplify) for part in entry.parts) for entry in user}
        self._user_tags = {joined_name(parts[entry]): entry.tag for entry in user if entry.tag}
        self._user_phrases = [parts[entry] for entry in user if len(entry.parts) > 1]
        self._entries: dict[str, list[tuple[str, ...]]] = {}
        for entry in lexicon.entries:
            self._entries.setdefault(entry.language, list(self._user_phrases)).append(entry.parts)
        self._joiners = {language: Joiner(entries) for language, entries in self._entries.items()}
        self._user_joiner = Joiner(self._user_phrases)

    def tokenize(self, title: str, body: str, language: str | None = None) -> Tokens:
        """Tokenise one article.

        Args:
            title: any text.
            body: any text or HTML.
            language: a language code such as "zh" or "en-GB"; empty, None or no code: detected from the text.
        """
        row = self.join_and_tag(self.segmenter.segment(pa.array([""]), [(title, body, language)])).to_pylist()[0]
        return Tokens(**{name: row[name] for name in Tokens._fields})

    def join_and_tag(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Join and tag the words of a batch.

        Args:
            batch: rows of ``SEGMENTS``.

        Returns:
            As many rows of ``TOKENS_SCHEMA``.
        """
        flat = segment_arrays(batch)
        kept, codes, names, last = self._joined(flat)
        place = np.concatenate([[0], np.cumsum(kept)])  # of each old word among the new ones
        starts, ends = place[flat.bounds[:-1]], place[flat.bounds[1:]]
        title_ends = place[flat.bounds[:-1] + batch.column("title").to_numpy()]
        breaks = place[flat.breaks] - np.repeat(starts, np.diff(flat.break_bounds))
        every = names.take(pa.array(codes))
        return pa.record_batch(
            [
                batch.column("id"),
                batch.column("language"),
                _spans(every, starts, title_ends),
                _spans(every, title_ends, ends),
                _spans(self._tags(codes, names, last, flat, kept), starts, ends),
                pa.ListArray.from_arrays(pa.array(flat.break_bounds, pa.int32()), pa.array(breaks, pa.int32())),
            ],
            schema=TOKENS_SCHEMA,
        )

    def _joined(self, flat: SegmentArrays) -> tuple[Mask, Codes, pa.Array, Codes]:
        """Join entries: mask of the words that stay, their codes, all words by code, and the part that tags each."""
        kept, codes, size = np.ones(len(flat.codes), bool), flat.codes.copy(), len(flat.names)
        words = flat.names.to_pylist()
        code_of: dict[str, int] = {}
        last: list[int] = []
        for number, language in enumerate(flat.languages):
            entries = self._entries.get(language, self._user_phrases)
            joiner = self._joiners.get(language, self._user_joiner)
            if not entries:
                continue
            parts = np.where(flat.language == number, joiner.parts(words)[flat.codes], -1)
            for place, length, entry in joiner.find(parts, flat.starts):
                name = joined_name(entries[entry])
                if name not in code_of:
                    code_of[name] = size + len(code_of)
                    last.append(int(flat.codes[place + length - 1]))
                kept[place + 1 : place + length] = False
                codes[place] = code_of[name]
        every = pa.concat_arrays([flat.names, pa.array(list(code_of), pa.string())])
        return kept, codes[kept], every, np.concatenate([np.arange(size), np.array(last, np.int64)])

    def _tags(self, codes: Codes, names: pa.Array, last: Codes, flat: SegmentArrays, kept: Mask) -> pa.Array:
        """One tag for each word; a joined one has the tag of its last part, unless the user has given it one."""
        tags = np.full(len(codes), "", object)
        words = np.array(names.to_pylist(), object)
        spoken, starts = flat.language[kept], flat.starts[kept]
        for number, language in enumerate(flat.languages):
            if language not in _TAGGED:
                continue
            places = np.flatnonzero(spoken == number)
            used, inverse = np.unique(codes[places], return_inverse=True)
            if language == "zh":
                tags[places] = np.array([self.segmenter.tag(word) for word in words[last[used]]], object)[inverse]
            elif len(places):
                tags[places] = self.classes.tags_in_context(inverse, words[used].tolist(), starts[places])
            user_tags = np.array([self._user_tags.get(word, "") for word in words[used]], object)[inverse]
            tags[places] = np.where(user_tags == "", tags[places], user_tags)
        return pa.array(tags, pa.string())


def load_tokenizer(folder: Path, config: TokensConfig) -> Tokenizer:
    """Read the tokeniser of a tokens artefact, for articles that come later.

    Args:
        folder: of the tokens artefact.
        config: as for the batch.

    Raises:
        CorruptArtefact: a file is not what its name says.
    """
    return Tokenizer(config, load_lexicon(folder), load_classes(folder))


def untagged(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of ``SEGMENTS`` as rows of ``TOKENS_SCHEMA`` with nothing joined and no tags."""
    flat = segment_arrays(batch)
    titles = flat.bounds[:-1] + batch.column("title").to_numpy()
    words = flat.names.take(pa.array(flat.codes))
    bodies = _spans(words, titles, flat.bounds[1:])
    tags = pa.array([[]] * batch.num_rows, pa.list_(pa.string()))
    columns = [batch.column("id"), batch.column("language"), _spans(words, flat.bounds[:-1], titles), bodies, tags]
    return pa.record_batch([*columns, batch.column("breaks")], schema=TOKENS_SCHEMA)


def _spans(values: pa.Array, starts: Codes, ends: Codes) -> pa.ListArray:
    """Lists of neighbours, one from each start to its end; those may leave out what lies between."""
    lengths = ends - starts
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    picked = np.arange(bounds[-1]) + np.repeat(starts - bounds[:-1], lengths)
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), values.take(pa.array(picked)))
