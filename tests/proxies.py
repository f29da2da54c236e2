"""A TLS-terminating proxy on this machine, which serves a site below a path prefix."""

import http.client
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

PREFIX = "/news"
HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "date", "server")


@contextmanager
def tls_proxy(folder: Path, url: str, *, strips: bool) -> Iterator[str]:
    """Serve ``url`` over https below ``PREFIX``; yields the address there.

    Args:
        folder: takes the certificate.
        url: of the service.
        strips: takes the prefix off the path, as nginx does with ``proxy_pass http://recsys/;``, or passes it.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(urlsplit(url).netloc, strips=strips))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}{PREFIX}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of one day that nobody has signed, and its key."""
    if not shutil.which("openssl"):
        message = "needs openssl (apt-get install openssl)"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    files = folder / "certificate.pem", folder / "key.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = ["openssl", "req", "-x509", *curve, "-days", "1", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


def _handler(upstream: str, *, strips: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            if not self.path.startswith(PREFIX):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": PREFIX}
            path = self.path.removeprefix(PREFIX) or "/"
            asked = http.client.HTTPConnection(upstream, timeout=10)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            asked.request(self.command, path if strips else self.path, body or None, headers | seen)
            answer = asked.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
            asked.close()

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
