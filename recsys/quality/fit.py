"""Whether a log and a catalogue belong together."""

from recsys.errors import InputError
from recsys.imports.known import Known

LEAST = 1 / 20  # share of the clicks that must be of known articles before anything is learned from them
ENOUGH = 1_000  # known clicks that are worth learning from however many others there are (MIND's sample has 4 %)
ADDRESSES = "import the clicks again with `--map article=@url`, url being the column with the addresses"
LOOK = "`python -m jobs data` shows what was clicked and is not there."


def refuse_misfit(known: Known, articles: int) -> None:
    """Refuse to train on clicks that hardly meet the articles.

    A site that has no articles at all, or no clicks, is no misfit: lists are then made from what there is.

    Args:
        known: which part of the clicks is of known articles.
        articles: how many there are.

    Raises:
        InputError: less than ``LEAST`` is and they are few, or they would meet by something else than the id.
    """
    if not articles or known.share >= LEAST:
        return
    better = max(known.otherwise.values(), default=0)
    if known.known >= ENOUGH and better <= known.known:
        return
    matched = f"{known.known:,} of {known.clicks:,} clicks match an article"
    if not better:
        remedy = "Import the articles that were clicked, or map the columns that hold the same ids in both files."
        raise InputError("clicks on the articles of the catalogue", matched, f"{remedy} {LOOK}")
    way = max(known.otherwise, key=lambda name: known.otherwise[name])
    matched += f"; {better:,} of {known.clicks:,} match by {way}"
    remedy = ADDRESSES if way == "address" else f"export the same ids in both files: here they differ in {way}"
    raise InputError("clicks on the articles of the catalogue", matched, f"{remedy[0].upper()}{remedy[1:]}. {LOOK}")
