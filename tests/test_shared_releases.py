"""Hosts that share releases at an address serve the one that the database names, whatever happened in between."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import fsspec
import pytest

from recsys.errors import ArtefactError, ConfigError, CorruptArtefact, StoreError
from recsys.releases import MANIFEST
from recsys.releases.address import ReleaseAddress
from recsys.releases.config import ReleasesConfig
from recsys.releases.sharing import SharedReleases
from recsys.releases.signing import KEY_FILE
from recsys.serving.release_mirror import ReleaseMirror
from recsys.store import Store
from recsys.workspace import Workspace
from tests.newsroom import toy_settings
from tests.service import serving
from tests.stores import server, store
from tests.test_releases import stage
from web.app import MIRROR

__all__ = ["server", "store"]

ROOT = Path(__file__).resolve().parents[1]
MOTO = ROOT / ".s3" / "bin" / "moto_server"
SITE = "toy"


class SharingHost:
    """A host: its folder, and the releases in it."""

    def __init__(self, folder: Path, url: str, store: Store, keep: int = 5) -> None:
        folder.mkdir()
        self.folder, self.store = folder, store
        config = ReleasesConfig(url=url, keep=keep)
        self.releases = SharedReleases(folder / "releases", config, SITE, lambda: nullcontext(store))

    def publish(self, text: str) -> str:
        """A release of two files, of which the first stays the same."""
        stage(self.folder, "words", "the same words")
        stage(self.folder, "items", text, ("words",))
        served = dict.fromkeys(("words", "items"), ("*",))
        facts = {"seed": 1, "config": {"site": {"id": SITE}}}
        return self.releases.publish(Workspace(self.folder / "work"), served, facts)

    def served(self) -> str:
        return (self.releases.open().path("items") / "items.txt").read_text()


@pytest.fixture
def hosts(tmp_path: Path, store: Store) -> tuple[SharingHost, SharingHost]:
    return two_hosts(tmp_path, f"file://{tmp_path}/shared", store)


def two_hosts(folder: Path, url: str, store: Store) -> tuple[SharingHost, SharingHost]:
    """Two hosts with one key."""
    one, other = SharingHost(folder / "one", url, store), SharingHost(folder / "other", url, store)
    one.publish("first")
    shutil.copyfile(one.folder / KEY_FILE, other.folder / KEY_FILE)
    return one, other


def test_what_one_host_publishes_the_other_serves(hosts: tuple[SharingHost, SharingHost]) -> None:
    one, other = hosts
    first = one.releases.current()
    assert other.releases.follow() == first
    assert other.served() == "first"
    assert other.releases.follow() is None, "it is there"
    second = one.publish("second")
    assert other.releases.follow() == second
    same, linked = (other.releases.root / str(name) / "words" / "words.txt" for name in (first, second))
    assert linked.samefile(same), "what is here under its hash is not fetched"
    live = one.store.live_release(SITE)
    assert live is not None
    assert (live.name, live.move) == (second, 2)


def test_a_host_rolls_all_of_them_back(hosts: tuple[SharingHost, SharingHost]) -> None:
    one, other = hosts
    first = one.releases.current()
    other.releases.follow()
    one.publish("second")
    other.releases.follow()
    assert other.releases.rollback(by="an operator") == first
    assert one.releases.follow() == first
    assert one.served() == other.served() == "first"


def test_a_host_that_was_away_goes_to_the_last_one_at_once(hosts: tuple[SharingHost, SharingHost]) -> None:
    one, other = hosts
    for text in ("second", "third"):
        last = one.publish(text)
    assert other.releases.follow() == last
    assert other.releases.names() == [last]


def test_what_a_killed_process_left_is_no_release_and_is_fetched_anew(hosts: tuple[SharingHost, SharingHost]) -> None:
    one, other = hosts
    name = str(one.releases.current())
    half = other.releases.root / ".fetched" / name
    half.mkdir(parents=True)
    (half / "half").write_text("half")
    assert other.releases.follow() == name
    assert other.served() == "first"


@pytest.mark.parametrize("damage", ["flip", "remove", "manifest", "outside"])
def test_what_was_changed_at_the_address_is_served_nowhere(
    hosts: tuple[SharingHost, SharingHost], tmp_path: Path, damage: str
) -> None:
    one, other = hosts
    other.releases.follow()
    name = one.publish("second")
    folder = tmp_path / "shared" / name
    if damage == "flip":
        (folder / "items" / "items.txt").write_text("secoNd")
    elif damage == "remove":
        (folder / "items" / "items.txt").unlink()
    else:
        manifest = (folder / MANIFEST).read_text()
        changed = manifest.replace('"items/items.txt"', '"../../escaped"') if damage == "outside" else manifest + " "
        (folder / MANIFEST).write_text(changed)
    with pytest.raises((CorruptArtefact, ArtefactError)):
        other.releases.follow()
    assert other.served() == "first"
    assert not list(other.folder.rglob("escaped"))


def test_without_the_key_of_the_host_that_made_it_nothing_is_served(hosts: tuple[SharingHost, SharingHost]) -> None:
    _, other = hosts
    (other.folder / KEY_FILE).unlink()
    with pytest.raises(CorruptArtefact, match=KEY_FILE):
        other.releases.follow()
    assert other.releases.current() is None


def test_an_address_out_of_reach_leaves_the_live_release_everywhere(
    hosts: tuple[SharingHost, SharingHost], tmp_path: Path
) -> None:
    one, other = hosts
    before = one.releases.current()
    (tmp_path / "shared").rename(tmp_path / "gone")
    (tmp_path / "shared").write_text("a file")
    with pytest.raises(ArtefactError, match=r"releases\.url"):
        one.publish("second")
    assert one.releases.current() == before
    live = one.store.live_release(SITE)
    assert live is not None
    assert live.name == before
    with pytest.raises(ArtefactError):
        other.releases.follow()


def test_a_database_out_of_reach_leaves_the_live_release(
    hosts: tuple[SharingHost, SharingHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = hosts
    before = one.releases.current()

    def refused(*_: str) -> None:
        raise StoreError("the database", "none", "Start it.")

    monkeypatch.setattr(one.store, "set_live_release", refused)
    with pytest.raises(StoreError):
        one.publish("second")
    assert one.releases.current() == before
    monkeypatch.undo()
    assert one.publish("second") != before, "the same goes through when it is back"


def test_the_address_keeps_as_many_releases_as_a_host(tmp_path: Path, store: Store) -> None:
    url = f"file://{tmp_path}/shared"
    host = SharingHost(tmp_path / "one", url, store, keep=2)
    names = [host.publish(text) for text in ("first", "second", "third", "fourth")]
    kept = ReleaseAddress(url).names()
    assert names[-1] in kept
    assert len(kept) == 3, "the live one, and two to roll back to"


def test_an_address_of_fsspec_is_one_as_well(tmp_path: Path, store: Store) -> None:
    fsspec.filesystem("memory").store.clear()
    one, other = two_hosts(tmp_path, "memory://shared/releases", store)
    assert other.releases.follow() == one.releases.current()
    assert other.served() == "first"


def test_an_address_that_nobody_knows_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"releases\.url"):
        ReleaseAddress("nowhere://bucket/folder")


def test_a_mirror_brings_its_host_there_at_once_and_then_by_itself(hosts: tuple[SharingHost, SharingHost]) -> None:
    one, other = hosts
    mirror = ReleaseMirror(other.releases)
    assert other.releases.current() == one.releases.current(), "before anything is served"
    mirror.start(0.02)
    try:
        name, until = one.publish("second"), time.monotonic() + 10
        while other.releases.current() != name and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        mirror.close()
    assert other.served() == "second"
    one.publish("third")
    time.sleep(0.1)
    assert other.served() == "second", "nobody follows any more"


def test_a_mirror_out_of_reach_says_so_and_goes_on(hosts: tuple[SharingHost, SharingHost], tmp_path: Path) -> None:
    one, other = hosts
    (tmp_path / "shared").rename(tmp_path / "away")
    mirror = ReleaseMirror(other.releases)
    assert not mirror.follow()
    (tmp_path / "away").rename(tmp_path / "shared")
    assert mirror.follow()
    assert other.releases.current() == one.releases.current()


@pytest.mark.parametrize("shared", [True, False])
def test_a_service_follows_where_there_is_an_address(tmp_path: Path, shared: bool) -> None:
    url = f"file://{tmp_path}/shared" if shared else ""
    settings = toy_settings(tmp_path / "data", releases={"url": url}, web={"poll_seconds": 60.0})
    with serving(settings) as service:
        mirror = service.client.application.extensions[MIRROR]
        assert isinstance(mirror, ReleaseMirror) == shared
        assert service.client.get("/readyz").status_code == 200


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket of an object store that speaks S3's protocol."""
    if not MOTO.is_file():
        pytest.skip(f"no {MOTO}: make object-store")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)
    command = [str(MOTO), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(300):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            query = f"endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1&allow_bucket_creation=true"
            yield f"s3://news/releases?{query}"
        finally:
            process.terminate()


@pytest.mark.slow
def test_hosts_share_releases_in_an_object_store(bucket: str, tmp_path: Path, store: Store) -> None:
    one, other = two_hosts(tmp_path, bucket, store)
    assert other.releases.follow() == one.releases.current()
    names = [one.publish(text) for text in ("second", "third")]
    assert other.releases.follow() == names[-1]
    assert other.served() == "third"
    assert other.releases.rollback() == one.releases.follow()
    assert set(names) < set(ReleaseAddress(bucket).names())
