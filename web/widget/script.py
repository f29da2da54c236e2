"""The widget's script: its parts -> one file, with the version in its address and the integrity that a page may demand.

Reads ``web/widget/parts``; produces one script for every page. Indentation and lines that are only a comment are left
out of it: a third less to send, and its texts can still be read in a browser.
"""

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).with_name("parts")
PARTS = ("words.js", "style.css", "keeping.js", "making.js", "trouble.js", "reading.js", "list.js", "cards.js")
VERSION_LENGTH = 12  # hex digits of a hash: enough that no two versions share an address
NOTE = "/* <guess-you-like>: the recommender's list on any page; no id is made or sent before the reader consents. */"


@dataclass(frozen=True, slots=True)
class WidgetScript:
    """One version of the script.

    Attributes:
        body: UTF-8.
        packed: the same in gzip, as small as it gets.
        version: the hash in its address, hex digits.
        integrity: for the attribute of that name, W3C Subresource Integrity.
    """

    body: bytes
    packed: bytes
    version: str
    integrity: str

    def lines(self, address: str, lang: str = "en") -> str:
        """The lines that install this very version on a page.

        Args:
            address: of the recommender, without a slash at its end.
            lang: of the page.
        """
        source = f"{address}/widget-{self.version}.js"
        return (
            f'<script src="{source}" integrity="{self.integrity}" crossorigin="anonymous" defer></script>\n'
            f'<guess-you-like lang="{lang}"></guess-you-like>'
        )


@lru_cache(1)
def widget_script() -> WidgetScript:
    """The script as it is served."""
    inner = "\n".join(_lean(name) for name in PARTS)
    twice = 'if (customElements.get("guess-you-like")) return;'  # the script stands on the page twice
    body = f'{NOTE}\n(() => {{\n"use strict";\n{twice}\n{inner}\n}})();\n'.encode()
    integrity = "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()
    return WidgetScript(
        body, gzip.compress(body, mtime=0), hashlib.sha256(body).hexdigest()[:VERSION_LENGTH], integrity
    )


def _lean(name: str) -> str:
    """A part without indentation and comments; the style sheet as the text of a constant."""
    lines = [line.strip() for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]
    kept = "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))
    return f"const STYLE = `{kept}`;" if name.endswith(".css") else kept
