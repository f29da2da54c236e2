"""The index: vectors -> nearest neighbours by cosine, among the allowed ones only.

    config.py  how many neighbours a list begins with
    index.py   a table of vectors, searched whole while there are few of them
    cells.py   two tiers for many: cells of neighbours, and the rows that moved since these were laid out

Source: Johnson, Douze and Jégou 2017, "Billion-scale similarity search with GPUs".
"""

from recsys.index.cells import cell_centres
from recsys.index.index import Index

__all__ = ["Index", "cell_centres"]
