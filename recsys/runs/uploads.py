"""Uploads: files that were sent and wait for the run that imports them, in the data folder."""

import time
import uuid
from contextlib import suppress
from pathlib import Path

from recsys.workspace import fsync_folder

UPLOADS = "uploads"
KEPT_SECONDS = 30 * 86_400  # of a file whose import never succeeded


def upload_file(data_dir: Path, name: str, format: str) -> Path:
    """The file of an upload; the name is one that ``keep_upload`` gave."""
    return data_dir / UPLOADS / f"{Path(name).name}.{format}"


def keep_upload(data_dir: Path, content: bytes, format: str) -> str:
    """Write what was sent, so that it is there after a power cut; returns its name."""
    folder, name = data_dir / UPLOADS, uuid.uuid4().hex
    folder.mkdir(parents=True, exist_ok=True)
    _remove_old(folder)
    file = upload_file(data_dir, name, format)
    file.write_bytes(content)
    fsync_folder(file)  # fsync works alike on files and folders
    fsync_folder(folder)
    return name


def _remove_old(folder: Path) -> None:
    for file in folder.iterdir():
        with suppress(OSError):  # another worker was first
            if time.time() - file.stat().st_mtime > KEPT_SECONDS:
                file.unlink()
