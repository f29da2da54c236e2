"""Catalogue: every article of one site by row, and masks of those that may be shown now.

Reads articles of the store and what the models say of them; produces rows and masks over one shared row space.

    articles   one article as its card shows it, with its tags
    copies     copies of one text, and the best one that may be shown
    columns    all articles as columns, and the masks
"""
