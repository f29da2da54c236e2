"""Feeds of every kind, good and hostile, from files and from a server on this machine."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recsys.errors import ImportRefused
from recsys.imports import Target, import_feed
from recsys.imports.fetch import fetch, is_public
from recsys.store import Store, StoredArticle
from tests.importing import SITE

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>The Quay</title><link>https://q.example/</link><language>nn-NO</language>
<item><title>Bridge &amp; tunnel</title><link>https://q.example/1</link><guid isPermaLink="false">q-1</guid>
<pubDate>Fri, 01 Mar 2024 08:30:00 +0200</pubDate><category>City</category><category>Roads</category>
<description>Short.</description>
<content:encoded><![CDATA[<p>The whole text.</p><p>Of two parts.</p>]]></content:encoded>
<media:content url="https://q.example/1.jpg" medium="image"/></item>
<item><title>No guid</title><link>https://q.example/2</link><description>Only a summary.</description>
<enclosure url="https://q.example/2.mp3" type="audio/mpeg"/><enclosure url="https://q.example/2.png" type="image/png"/>
</item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>The Quay</title>
<entry><id>q-1</id><title>Bridge &amp; tunnel</title><link href="https://q.example/1"/>
<updated>2024-03-01T06:30:00Z</updated>
<category term="City"/>
<content type="html">&lt;p&gt;The whole text.&lt;/p&gt;&lt;p&gt;Of two parts.&lt;/p&gt;</content></entry></feed>"""
JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "The Quay",
    "items": [
        {
            "id": "q-1",
            "url": "https://q.example/1",
            "title": "Bridge & tunnel",
            "content_html": "<p>The whole text.</p><p>Of two parts.</p>",
            "image": "https://q.example/1.jpg",
            "date_published": "2024-03-01T07:30:00+01:00",
            "tags": ["City"],
        }
    ],
}
HOSTILE = {
    "entities": '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss/>',
    "external": '<!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss version="2.0"/>',
    "behind a comment": "<!-- <rss> --><?x <y> ?><!DOCTYPE rss []><rss/>",
}
Handler = Callable[["Server"], None]


class Server(BaseHTTPRequestHandler):
    """Answers by the function that the test set."""

    answer: Handler
    asked: list[dict[str, str]]

    def do_GET(self) -> None:
        type(self).asked.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
        type(self).answer(self)

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], str]]:
    servers = []

    def start(answer: Handler) -> str:
        handler = type("Answering", (Server,), {"answer": staticmethod(answer), "asked": []})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        start.asked = handler.asked  # type: ignore[attr-defined]
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def article(store: Store, id: str) -> StoredArticle:
    found = store.article(SITE, id)
    assert found is not None
    return found


def feed_file(folder: Path, content: str | bytes) -> str:
    path = folder / "feed"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.mark.parametrize("content", [RSS, ATOM, json.dumps(JSON_FEED), RSS.replace("UTF-8", "UTF-16").encode("utf-16")])
def test_a_feed_gives_articles_with_their_whole_text(
    target: Target, store: Store, tmp_path: Path, content: str | bytes
) -> None:
    summary = import_feed(target, feed_file(tmp_path, content), tmp_path / "feeds")
    assert summary.rejected == 0
    first = article(store, "q-1")
    assert (first.title, first.body) == ("Bridge & tunnel", "The whole text.\n\nOf two parts.")
    assert (first.url, first.category, first.source) == ("https://q.example/1", "City", "The Quay")
    assert first.published_at == 1_709_274_600_000


def test_what_only_some_feeds_say_is_kept(target: Target, store: Store, tmp_path: Path) -> None:
    import_feed(target, feed_file(tmp_path, RSS), tmp_path / "feeds")
    assert article(store, "q-1").image == "https://q.example/1.jpg"
    assert article(store, "q-1").language in ("no", "nn")
    second = article(store, "https://q.example/2")  # its address is its name
    assert (second.body, second.image, second.published_at) == ("Only a summary.", "https://q.example/2.png", None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("case", HOSTILE)
def test_a_document_type_is_refused_before_anything_parses_it(
    target: Target, tmp_path: Path, case: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedparser.parse", lambda *_: pytest.fail("it was parsed"))
    with pytest.raises(ImportRefused, match="DOCTYPE"):
        import_feed(target, feed_file(tmp_path, HOSTILE[case].encode(encoding)), tmp_path / "feeds")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("<!doctype html><html></html>", "HTML page"),
        ("id,title\n1,One\n", "something else"),
        ('{"articles": []}', "other JSON"),
        ('{"version": "https://jsonfeed.org/version/1", "items": [', "broken JSON"),
        ('<rss version="2.0"><channel><title>x</title></channel></rss>', "none"),
        ("", "something else"),
    ],
)
def test_what_is_no_feed_is_called_by_its_name(target: Target, tmp_path: Path, content: str, what: str) -> None:
    with pytest.raises(ImportRefused, match=what):
        import_feed(target, feed_file(tmp_path, content), tmp_path / "feeds")


def test_a_feed_that_is_not_well_formed_gives_what_can_be_read_and_says_so(
    target: Target, store: Store, tmp_path: Path
) -> None:
    summary = import_feed(target, feed_file(tmp_path, RSS.replace("No guid", "Fish & chips")), tmp_path / "feeds")
    assert article(store, "https://q.example/2").title == "Fish & chips"
    assert any("not well-formed" in note for note in summary.notes)


def test_an_address_is_asked_again_only_for_what_has_changed(
    target: Target, store: Store, tmp_path: Path, serve: Callable[[Handler], str]
) -> None:
    def answer(server: Server) -> None:
        if server.headers.get("If-None-Match") == '"v1"':
            server.say(304)
        else:
            server.say(200, gzip.compress(RSS.encode()), ETag='"v1"', Content_Encoding="gzip")

    url = serve(answer) + "/feed.xml"
    assert import_feed(target, url, tmp_path / "feeds", allow_private=True).stored == 2
    again = import_feed(target, url, tmp_path / "feeds", allow_private=True)
    assert (again.read, again.stored) == (0, 0)
    assert any("not changed" in note for note in again.notes)
    asked = serve.asked  # type: ignore[attr-defined]
    assert [request.get("if-none-match") for request in asked] == [None, '"v1"']


def test_private_hosts_are_refused_at_first_and_behind_a_redirect(
    target: Target, tmp_path: Path, serve: Callable[[Handler], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = serve(lambda server: server.say(200, RSS.encode()))
    with pytest.raises(ImportRefused, match="--allow-private"):
        import_feed(target, inner, tmp_path / "feeds")
    assert serve.asked == []  # type: ignore[attr-defined]
    outer = serve(lambda server: server.say(302, Location=inner))
    is_first = iter([True, False])
    monkeypatch.setattr("recsys.imports.fetch.is_public", lambda address: next(is_first))
    with pytest.raises(ImportRefused, match="--allow-private"):
        import_feed(target, outer, tmp_path / "feeds")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("8.8.8.8", True),
        ("172.32.0.1", True),
        ("2620:fe::fe", True),
        ("64:ff9b::808:808", True),
        ("172.16.0.1", False),
        ("172.31.255.255", False),
        ("127.255.255.254", False),
        ("0.1.2.3", False),
        ("192.0.0.8", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("198.51.100.1", False),
        ("203.0.113.5", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b:1::a00:1", False),
        ("2001:0:7f00:1::", False),
        ("2001:db8::1", False),
        ("2002:a9fe:a9fe::", False),
        ("100::1", False),
        ("fd12:3456::5", False),
        ("fec0::1", False),
        ("ff02::1", False),
    ],
)
def test_only_addresses_of_the_internet_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.1",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "2130706433",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "user@127.0.0.1",
    ],
)
def test_an_address_of_this_machine_is_refused_however_it_is_spelt(target: Target, tmp_path: Path, host: str) -> None:
    with pytest.raises(ImportRefused, match=r"--allow-private|no such host"):
        import_feed(target, f"http://{host}/feed.xml", tmp_path / "feeds")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://x/", "data:text/xml,x", "http:///x"]
)
def test_what_is_no_web_address_is_asked_of_nobody(target: Target, tmp_path: Path, url: str) -> None:
    with pytest.raises(ImportRefused):
        import_feed(target, url, tmp_path / "feeds")


def drip(server: Server) -> None:
    """Send a byte now and then, for longer than anybody waits."""
    server.send_response(200)
    server.end_headers()
    try:
        while True:
            server.wfile.write(b"<")
            server.wfile.flush()
            time.sleep(0.02)
    except OSError:
        return


BOUNDS: dict[str, tuple[Handler, str]] = {
    "large": (lambda server: server.say(200, b"x" * 5_000), "more than 1,000 bytes"),
    "large unpacked": (
        lambda server: server.say(200, gzip.compress(b"x" * 5_000_000), Content_Encoding="gzip"),
        "more than 1,000 bytes",
    ),
    "slow": (drip, "within 0.3 s"),
    "in circles": (lambda server: server.say(301, Location="/again"), "more than 5 redirects"),
    "elsewhere": (lambda server: server.say(302, Location="file:///etc/passwd"), "no http or https"),
    "missing": (lambda server: server.say(404), "status 404"),
}


@pytest.mark.parametrize("case", BOUNDS)
def test_an_answer_has_bounds(case: str, serve: Callable[[Handler], str]) -> None:
    answer, what = BOUNDS[case]
    began = time.monotonic()
    with pytest.raises(ImportRefused, match=what):
        fetch(serve(answer), allow_private=True, max_bytes=1_000, max_seconds=0.3 if case == "slow" else 10)
    assert time.monotonic() - began < 5


def test_a_dry_run_keeps_no_version(target: Target, tmp_path: Path, serve: Callable[[Handler], str]) -> None:
    url = serve(lambda server: server.say(200, RSS.encode(), ETag='"v1"'))
    dry = Target(target.store, SITE, tmp_path / "rejects", dry_run=True)
    import_feed(dry, url, tmp_path / "feeds", allow_private=True)
    assert not (tmp_path / "feeds").exists()


def test_relative_links_stand_below_the_feeds_own_site(target: Target, store: Store, tmp_path: Path) -> None:
    items = "<item><title>One</title><link>/1</link></item><item><title>Two</title><guid>2</guid></item>"
    file = tmp_path / "feed.xml"
    file.write_text(
        f'<rss version="2.0"><channel><title>Q</title><link>https://q.example</link>{items}</channel></rss>'
    )
    import_feed(target, str(file), tmp_path / "feeds")
    assert {article.id: article.url for article in store.articles(SITE)} == {"/1": "https://q.example/1", "2": None}
