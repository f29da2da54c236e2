"""Readers: a reader's last clicks -> their interests, as one vector or several.

Reads clicks and dismisses in time order and a table of vectors; produces ``ReaderState``, and through an encoder the
reader's interests. Light: torch is not loaded here.

    config.py      the settings
    state.py       the memory of one reader
    replay.py      a past in one call -> what such a memory keeps of it
    packed.py      the same in few bytes
    encoders.py    the contract of an encoder, and the decayed mean of the last clicks: the reader vector
    interests.py   a history -> several interests, by compiled Ward clustering
    gru.py         a recurrent network in torch
    training.py    lists -> a fitted network
    trained.py     a fitted network in numpy: encode, save, load

The lists that it is fitted to are made where the log is replayed, in ``recsys.dataset.encoder_lists``.
"""

from recsys.readers.encoders import reader_vector, weights
from recsys.readers.replay import CLICK, DISMISS, IMPRESSION
from recsys.readers.state import ReaderState

__all__ = ["CLICK", "DISMISS", "IMPRESSION", "ReaderState", "reader_vector", "weights"]
