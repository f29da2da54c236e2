"""Releases at an address that all hosts of a site reach: an object store, or a folder that they share.

An address is a URL that pyarrow knows (``s3://bucket/path?endpoint_override=…``, ``gs://…``, ``file:///…``), or else
one of fsspec's. A release there is the folder of its name, of the very files that stand on the host that made it; its
manifest is written last, so that what has one is whole, and whoever fetches it verifies signature and hashes as of any
release. Files that a host has under the same hash already are not fetched.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pyarrow as pa
from pyarrow import fs

from recsys.errors import ArtefactError, ConfigError
from recsys.releases.checks import parsed_manifest
from recsys.releases.signing import MANIFEST, SIGNATURE

_REMEDY = "Look at releases.url, at the network, and at the credentials in the environment."


class ReleaseAddress:
    """The releases at an address.

    Args:
        url: see above; it may hold a secret, and is in no message.

    Raises:
        ConfigError: nobody knows such an address.
    """

    def __init__(self, url: str) -> None:
        self._files, root = _filesystem(url)
        self._root = root.rstrip("/")

    def names(self) -> list[str]:
        """Names of the releases that are whole, sorted, which is oldest first."""
        with _reached():
            found = self._files.get_file_info(fs.FileSelector(self._root, recursive=True, allow_not_found=True))
        ends = f"/{MANIFEST}"
        return sorted(Path(info.path).parent.name for info in found if info.path.endswith(ends))

    def put(self, folder: Path) -> None:
        """Upload a release, its manifest last; one that is whole already is left alone.

        Raises:
            ArtefactError: the address is out of reach, or refuses.
        """
        with _reached():
            if self._has(f"{folder.name}/{MANIFEST}"):
                return
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            for file in sorted(files, key=lambda path: path == folder / MANIFEST):
                self._upload(file, f"{folder.name}/{file.relative_to(folder).as_posix()}")

    def fetch(self, name: str, folder: Path, here: Mapping[str, Path]) -> None:
        """Download a release.

        Args:
            name: of the release.
            folder: an empty one, of that name; what comes is to be verified.
            here: SHA-256 -> a file of this host that has it; such are linked.

        Raises:
            ArtefactError: the address is out of reach, or has no such release.
        """
        with _reached():
            for file in (MANIFEST, SIGNATURE):
                self._download(f"{name}/{file}", folder / file)
            manifest = parsed_manifest(folder, (folder / MANIFEST).read_bytes())
            for file, facts in manifest["files"].items():
                target = folder / file
                if not target.resolve().is_relative_to(folder.resolve()):
                    raise ArtefactError("files inside the release", repr(file), "Remove it from the address.")
                target.parent.mkdir(parents=True, exist_ok=True)
                if same := here.get(facts["sha256"]):
                    os.link(same, target)
                else:
                    self._download(f"{name}/{file}", target)
                    target.chmod(0o444)

    def remove(self, name: str) -> None:
        """Remove a release, its manifest first."""
        with _reached():
            self._files.delete_file(f"{self._root}/{name}/{MANIFEST}")
            self._files.delete_dir(f"{self._root}/{name}")

    def _has(self, file: str) -> bool:
        return bool(self._files.get_file_info(f"{self._root}/{file}").type == fs.FileType.File)

    def _upload(self, file: Path, name: str) -> None:
        target = f"{self._root}/{name}"
        self._files.create_dir(target.rpartition("/")[0], recursive=True)
        with file.open("rb") as source, self._files.open_output_stream(target) as sink:
            shutil.copyfileobj(source, sink, 1 << 20)

    def _download(self, name: str, target: Path) -> None:
        with self._files.open_input_stream(f"{self._root}/{name}") as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)


def _filesystem(url: str) -> tuple[fs.FileSystem, str]:
    try:
        files, root = fs.FileSystem.from_uri(url)
        return files, root
    except (pa.ArrowException, NotImplementedError, ValueError, OSError):
        pass
    try:
        other, root = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise ConfigError("releases.url: an address of pyarrow or fsspec", str(error), _REMEDY) from None
    return fs.PyFileSystem(fs.FSSpecHandler(other)), root


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise ArtefactError("the address of the releases in reach", str(error).partition("\n")[0], _REMEDY) from error
