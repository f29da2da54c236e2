"""Addresses of articles in a normal form, so that an article and a click on it meet by their address.

Source: RFC 3986, section 6 (normalisation); the parameters that trackers add.
"""

import hashlib
import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

ID_BYTES = 10  # 80 bits: among a thousand million rows of one millisecond the chance of two alike is 4 in 10 million
_MADE = re.compile(rf"[0-9a-f]{{{2 * ID_BYTES}}}")
_TRACKING = re.compile(
    r"(?:utm_.*|fbclid|gclid|gbraid|wbraid|dclid|msclkid|yclid|twclid|igshid|mc_cid|mc_eid|_ga|_gl|spm|cmpid|ocid|at_.*"
    r"|wt\.mc_id|ns_mchannel|xtor|share_token)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_DEFAULT_PORTS = (":80", ":443")


def normal_address(address: str) -> str | None:
    """Normal form of an address: scheme, www, the host's case, tracking, fragment and the last slash go.

    Args:
        address: absolute, with or without its scheme, or a path on the site.

    Returns:
        ``example.org/a?id=3``, or None for what is no address.
    """
    text = address.strip()
    if not text or any(character <= " " for character in text):
        return None
    bare = _SCHEME.sub("", text, count=1)
    try:
        parts = urlsplit(f"//{bare}" if bare[0] not in "/?#" else bare)
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2].lower().removeprefix("www.")
    for port in _DEFAULT_PORTS:
        host = host.removesuffix(port)
    kept = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0]))
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._").rstrip("/")
    page = f"#{parts.fragment}" if parts.fragment.startswith(("!", "/")) else ""  # a page of an application
    return f"{host}{path}{'?' if kept else ''}{urlencode(kept)}{page}" or "/"


def address_id(address: str) -> str:
    """The identifier of an article that has none of its own: made from its address."""
    return made_id(normal_address(address) or address)


def looks_like_address(text: str) -> bool:
    """True for a text that is an address rather than an identifier."""
    return "://" in text or text.startswith(("//", "www.", "/"))


def is_made(id: str) -> bool:
    """True for an identifier that may have been made from an address or a title."""
    return _MADE.fullmatch(id) is not None


def aliases_of(id: str, url: str | None) -> set[str]:
    """The identifiers that events of an article may have that came before it, when only its address was known."""
    addresses = [address for address in (url, id if looks_like_address(id) else None) if address]
    return {address_id(address) for address in addresses} - {id}


def made_id(text: str) -> str:
    """An identifier made from a text: 20 hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=ID_BYTES).hexdigest()
