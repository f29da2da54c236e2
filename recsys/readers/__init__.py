"""Readers: a reader's last clicks -> their interests, as one vector or several.

Reads clicks and dismisses in time order and a table of vectors; produces ``ReaderState``, and through an encoder the
reader's interests. Light: neither numba nor torch is loaded here.

    config.py      the settings
    state.py       the memory of one reader
    encoders.py    the contract of an encoder, and the decayed mean of the last clicks: the reader vector
    interests.py   a history -> several interests, by compiled Ward clustering
    gru.py         a recurrent network in torch; training.py fits it
    trained.py     a fitted network in numpy: encode, save, load
    walks.py       a log's clicks by reader and visit, and item vectors that learn them
    shown.py       a log -> the lists that its readers would have been shown, for training
    learning.py    the log and the released item vectors -> a fitted encoder in their frame
"""

from recsys.readers.encoders import reader_vector, weights
from recsys.readers.state import CLICK, DISMISS, IMPRESSION, ReaderState

__all__ = ["CLICK", "DISMISS", "IMPRESSION", "ReaderState", "reader_vector", "weights"]
