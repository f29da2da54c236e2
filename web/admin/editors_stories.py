"""Stories as editors look for them: by words of a title, by a name, by an id; hidden articles are among theirs.

Reads the catalogue and the store; produces the rows after which stories are named.
"""

import numpy as np

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.story_edits import rows_of, story_row
from recsys.store import Store
from recsys.tags.index import Rows

_LOOKED_AT = 200  # articles whose title holds the words, the newest


def newest_of_story(catalogue: Catalogue, label: int) -> Rows:
    """The articles of a story, newest first, ties by row: int32."""
    if catalogue.columns.stories.sizes[label] == 1:
        return np.array([label], np.int32)
    rows = rows_of(catalogue, label)
    return rows[np.argsort(-catalogue.published[rows], kind="stable")]


def newest_stories(catalogue: Catalogue, n: int) -> list[int]:
    """The stories of several articles whose newest one is newest: their rows, n at most."""
    groups = catalogue.columns.stories
    labels = groups.labels[: len(catalogue.ids)]
    rows = np.flatnonzero(groups.sizes[labels] > 1)
    newest = rows[np.argsort(-catalogue.published[rows], kind="stable")]
    return list(dict.fromkeys(labels[newest].tolist()))[:n]


def found_stories(store: Store, site: str, catalogue: Catalogue, text: str, n: int) -> list[int]:
    """The stories that words, or an id, mean.

    Args:
        store: whose titles are looked through.
        site: the site.
        catalogue: says what stands together.
        text: words of a title or a name in either case, or the id of a story or an article.
        n: stories at most.

    Returns:
        Their rows: the one of that id, those of that name, then those of the newest articles that hold the words.
    """
    groups, folded = catalogue.columns.stories, text.casefold()
    own = story_row(catalogue, text)
    labels = [] if own is None else [own]
    called = [one.article for one in groups.names.values() if one.name is not None and folded in one.name.casefold()]
    titled = [one.id for one in store.find_articles(site, text, _LOOKED_AT)]
    rows = [catalogue.row_of[id] for id in (*reversed(called), *titled) if id in catalogue.row_of]
    return list(dict.fromkeys([*labels, *(groups.leader_of(row) for row in rows)]))[:n]
