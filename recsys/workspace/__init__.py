"""The workspace: the folder where each stage leaves its files for the next one.

Reads and produces ``work/<stage>/``: the stage's files and a ``stage.json`` with the SHA-256 of each, what the stage
was made from, and with which settings. A stage appears whole or not at all, and whoever reads it compares its files
with their hashes before a loader sees them. Only .npy, Parquet, JSON, safetensors,
FAISS and text files are written: nothing that runs code when it is opened.

    disk.py     locks, hashes, fsync
    formats.py  JSON, .npy, safetensors, Parquet
    stages.py   the stages' folders
"""

from recsys.workspace.disk import (
    FileHashes,
    described,
    digest_of,
    disk_full,
    exclusive,
    fsync_folder,
    fsync_tree,
    is_full,
    sha256_of,
    tree,
)
from recsys.workspace.formats import (
    Array,
    load_arrays,
    load_npy,
    mapped_npy,
    read_json,
    read_table,
    replace_json,
    save_arrays,
    save_npy,
    write_json,
    write_table,
)
from recsys.workspace.stages import StageRecord, Workspace, fingerprint, same_space

__all__ = [
    "Array",
    "FileHashes",
    "StageRecord",
    "Workspace",
    "described",
    "digest_of",
    "disk_full",
    "exclusive",
    "fingerprint",
    "fsync_folder",
    "fsync_tree",
    "is_full",
    "load_arrays",
    "load_npy",
    "mapped_npy",
    "read_json",
    "read_table",
    "replace_json",
    "same_space",
    "save_arrays",
    "save_npy",
    "sha256_of",
    "tree",
    "write_json",
    "write_table",
]
