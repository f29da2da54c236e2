"""Catalogue: every article of one site by row, and masks of those that may be shown now.

Reads articles of the store and what the models say of them; produces rows and masks over one shared row space.

    articles     one article as its card shows it, with its tags
    annotations  what the models said of each article at night
    blobs        one row of an Arrow array
    cards        articles by row, packed
    identifiers  article id <-> row
    copies       copies of one text, and the best one that may be shown
    stories      articles of one event, moved by those that come and by editors, and their names
    columns      what decides whether an article may be shown, as arrays
    released     all of that in the files of a release
    eligibility  the rows that may be shown at a moment
    catalogue    a release's articles and what came after it
    story_edits  what an editor says of stories -> pairs of articles in the store
"""
