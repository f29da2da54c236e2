"""Readers: what a reader clicked last -> what they like, as one vector or several.

Reads clicks and dismisses in time order and a table of vectors; produces ``ReaderState``, and through an encoder the
reader's interests. Light: neither numba nor torch is loaded here.

    config.py      the settings
    looks.py       the last cards that a reader was shown, and opened
    state.py       what is remembered of one reader
    mean.py        the decayed mean of the last clicks: the reader vector
    encoders.py    what an encoder is; the mean and several interests
    clusters.py    a history -> its interests, by compiled Ward clustering
    walks.py       a log's clicks by reader and visit, and item vectors that learn them
    shown.py       a log -> the lists that its readers would have been shown, for training
    networks.py    GRU and attention in torch; training.py fits them
    learning.py    the log and the released item vectors -> a fitted encoder in their frame
    trained.py     a fitted network in numpy: encode, save, load
    traits.py      what an article can be liked for, as sparse numbers
    judged.py      likes and dislikes -> how much a reader would like another article
"""

from recsys.readers.mean import reader_vector, weights
from recsys.readers.state import CLICK, DISMISS, IMPRESSION, ReaderState

__all__ = ["CLICK", "DISMISS", "IMPRESSION", "ReaderState", "reader_vector", "weights"]
