"""Sharing of releases between hosts: upload before a release is live, and mirror what is live elsewhere.

A release that is made live is uploaded whole; then the row of the database names it, under the write lock; then this
host's ``CURRENT`` does. Every host compares the row with its ``CURRENT``, fetches what it lacks into its own folder
(maps of memory need a disk) and verifies it before its ``CURRENT`` names it. So the row decides, and a host that was
away, or that crashed between two of these steps, ends at the same release.
"""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from recsys.errors import Busy
from recsys.releases import Releases
from recsys.releases.address import ReleaseAddress
from recsys.releases.config import ReleasesConfig
from recsys.store import Store
from recsys.workspace import exclusive, fsync_tree

_FETCHED = ".fetched"  # folder in which a release is gathered

OpenStore = Callable[[], AbstractContextManager[Store]]


class SharedReleases(Releases):
    """Releases of a site on one of several hosts that serve it.

    Args:
        root: the folder of this host.
        config: with the address that all share.
        site: the site.
        store: opens the database for the length of a block.

    Raises:
        ConfigError: nobody knows such an address.
    """

    def __init__(self, root: Path, config: ReleasesConfig, site: str, store: OpenStore) -> None:
        super().__init__(root, config, site)
        self._address, self._site, self._store = ReleaseAddress(config.url), site, store

    def before_live(self, name: str, by: str) -> None:
        """Upload a release and have every host serve it.

        Raises:
            ArtefactError: the address is out of reach; the live release stays.
            StoreError: the database is; it stays, too.
        """
        self._address.put(self.root / name)
        with self._store() as store:
            store.set_live_release(self._site, name, by)
        for old in [other for other in self._address.names() if other != name][: -self.config.keep]:
            self._address.remove(old)

    def follow(self) -> str | None:
        """Bring this host to the release that is live; call it again and again.

        Returns:
            The name of the release, when this host's ``CURRENT`` was moved to it.

        Raises:
            ArtefactError: it cannot be fetched, or does not verify; the one before stays.
            StoreError: the database is out of reach.
        """
        with self._store() as store:
            live = store.live_release(self._site)
        if live is None or live.name == self.current():
            return None
        try:
            with exclusive(self.root / ".fetch.lock", "fetching a release"):
                if live.name not in self.names():
                    self._fetch(live.name)
                self.open(live.name)
                self.name_live(live.name, live.by, "live on all hosts")
        except Busy:  # another process of this host does it
            return None
        return live.name

    def _fetch(self, name: str) -> None:
        shutil.rmtree(self.root / _FETCHED, ignore_errors=True)  # of a process that was killed
        folder = self.root / _FETCHED / name
        folder.mkdir(parents=True)
        here = {
            facts["sha256"]: self.root / other / file
            for other in self.names()
            for file, facts in self.manifest(other)["files"].items()
            if (self.root / other / file).is_file()
        }
        self._address.fetch(name, folder, here)
        self.verified(folder)
        fsync_tree(folder)
        folder.rename(self.root / name)


def releases_of(folder: Path, config: ReleasesConfig, site: str, store: OpenStore) -> Releases:
    """The releases of a site in a folder, shared with other hosts if there is an address."""
    return SharedReleases(folder, config, site, store) if config.url else Releases(folder, config, site)
