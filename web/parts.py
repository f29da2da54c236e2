"""Parts: one release's files, loaded for serving.

Reads a verified release; produces ``Parts``: vectors by row, the index, the click model, the counts, and what the
models say of each article. Nothing here trains, and neither gensim nor networkx is loaded.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.config import Section
from recsys.ctr.model import ClickModel
from recsys.errors import StaleArtefact
from recsys.features import NAMES
from recsys.index import Index
from recsys.recommend.catalogue import NONE, Traits
from recsys.releases import Release
from recsys.settings import Settings
from recsys.store import Article
from recsys.trends import Trends, TrendsConfig
from recsys.workspace import load_arrays, load_npy, read_json, read_table, same_space
from web.encode import Encoder

Vectors = npt.NDArray[np.float32]
S = TypeVar("S", bound=Section)
"""
