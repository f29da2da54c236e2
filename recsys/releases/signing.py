"""Signatures of releases: an HMAC over every byte of a manifest, by a key that lies outside the folder of releases.

Reads ``manifest.json`` and ``manifest.sig``, the key's name and the HMAC in one line; writes the second. A hash proves
that bytes are the ones that a manifest names; only the signature proves that the manifest was written here.

Source: RFC 2104 with SHA-256.
"""

import hashlib
import hmac
import re
from pathlib import Path

from recsys.errors import ArtefactError, CorruptArtefact
from recsys.keys import KeyRing

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
KEY_FILE = "releases.key"  # in the data folder, beside ``releases/``
_FORM = re.compile(rb"[0-9a-f]{8} [0-9a-f]{64}\n")


class ReleaseSignatures:
    """Signs and checks manifests.

    Args:
        key: file of the key that signs; those before it, see ``recsys.keys``, are taken too.
    """

    def __init__(self, key: Path) -> None:
        self.key_file = key
        self._ring = KeyRing(key)

    def sign(self, folder: Path) -> None:
        """Sign the manifest that stands in a folder; a signature that stands there is replaced in one step.

        Raises:
            ArtefactError: there is no key, and none can be made.
        """
        key = self._ring.current()
        if key is None:
            got = "none, and none can be made" if not self.key_file.exists() else "a file that was cut off"
            remedy = "Let the data folder be written to, or put the key back from a backup, then try again."
            raise ArtefactError(f"a key of releases in {self.key_file}", got, remedy)
        fresh = folder / f".{SIGNATURE}.tmp"
        fresh.write_bytes(_line(key.id, key.secret, (folder / MANIFEST).read_bytes()))
        fresh.replace(folder / SIGNATURE)

    def verified(self, folder: Path) -> bytes:
        """The bytes of a manifest that was signed here.

        Raises:
            CorruptArtefact: it is not signed, or with a key that is not here, or was changed since.
        """
        manifest = (folder / MANIFEST).read_bytes()
        signature = (folder / SIGNATURE).read_bytes() if (folder / SIGNATURE).is_file() else b""
        name, expected = folder.name, f"a release in {folder} that was signed here"
        if not signature:
            remedy = f"If it was made here, run: python -m jobs sign {name}; else: python -m jobs all"
            raise CorruptArtefact(expected, "one without a signature", remedy)
        key = self._ring.find(signature[:8].decode("ascii", "replace")) if _FORM.fullmatch(signature) else None
        if key is None:
            remedy = f"Put the {KEY_FILE} of the host that made it beside {folder.parent}, or run: python -m jobs all"
            raise CorruptArtefact(expected, "a signature by a key that is not here", remedy)
        if not hmac.compare_digest(signature, _line(key.id, key.secret, manifest)):
            remedy = "Run: python -m jobs rollback, then: python -m jobs all --fresh"
            raise CorruptArtefact(expected, "a manifest that was changed since", remedy)
        return manifest


def _line(id: str, secret: bytes, manifest: bytes) -> bytes:
    return f"{id} {hmac.new(secret, manifest, hashlib.sha256).hexdigest()}\n".encode()
