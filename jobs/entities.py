"""``python -m jobs entities --labels FILE``: train a tagger of names on label files.

Reads label files; produces the folder ``entities`` of the workspace: the tagger, and the language that it reads. What
it is worth is measured before, on the last tenth of the sentences, which it learns from as well in the end.
"""

from collections import Counter
from pathlib import Path

from jobs.runner import Context, Counts
from jobs.terminal import log
from recsys.entities import LabelledSentences, Tagger, read_labelled, spans_of, train
from recsys.errors import DegenerateInput
from recsys.languages import detect
from recsys.tokens.chinese import chinese_dictionary
from recsys.workspace import fingerprint, write_json

FOLDER = "entities"
_HELD_OUT = 10  # one sentence of so many
_LANGUAGE_SENTENCES = 300  # by which the language of the files is told


def command(context: Context, files: list[Path]) -> None:
    """Read the files, measure, train on all and keep the tagger; the old one stays until the new one is whole.

    Raises:
        ImportRefused, DegenerateInput: see ``read_labelled`` and ``train``.
    """
    labelled = read_labelled(files)
    language = _language(labelled)
    log.info("labels", sentences=len(labelled.tokens), language=language, **labelled.odd)
    facts: Counts = {"sentences": len(labelled.tokens)}
    with context.workspace.write(FOLDER, fingerprint(FOLDER, {}, context.seed, {}), {}, facts) as folder:
        facts |= _measured(context, labelled)
        _trained(context, labelled).save(folder)
        write_json(folder / "language.json", {"language": language})
    log.info("done", job=FOLDER, **facts)


def _trained(context: Context, labelled: LabelledSentences) -> Tagger:
    tokens = context.settings.tokens
    chinese = chinese_dictionary(tokens.user_words, tokens.simplify)
    return train(labelled.tokens, labelled.labels, chinese=chinese, seed=context.seed)


def _measured(context: Context, labelled: LabelledSentences) -> Counts:
    """Figures on the last tenth; none where too little is labelled."""
    cut = len(labelled.tokens) - len(labelled.tokens) // _HELD_OUT
    tested = labelled.labels[cut:]
    try:
        tagger = _trained(context, LabelledSentences(labelled.tokens[:cut], labelled.labels[:cut], {}))
    except DegenerateInput:
        return {}
    counts: Counter[str] = Counter()
    for gold, found in zip(tested, tagger.tag(labelled.tokens[cut:]), strict=True):
        true, given = set(spans_of(gold)[0]), set(spans_of(found)[0])
        counts.update(right=len(true & given), true=len(true), given=len(given))
    both = counts["true"] + counts["given"]
    return {"held_out_names": counts["true"]} | ({"f1": round(200 * counts["right"] / both, 2)} if both else {})


def _language(labelled: LabelledSentences) -> str:
    """The language that most of the first sentences are in."""
    languages = Counter(detect(" ".join(sentence)) for sentence in labelled.tokens[:_LANGUAGE_SENTENCES])
    return languages.most_common(1)[0][0]
