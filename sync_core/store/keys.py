"""The keys that credentials are sealed with: from the setting TIEOUT_SECRET_KEY, or from a file that only its owner reads.

The first key seals, all of them open; the order "new,old" therefore rotates. The generated file, when there is one, is
always the last, so that a secret key set later still opens what was sealed before.
"""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from sync_core.errors import Configure

_COST = 2**15
"""About 0.1 s and 32 MB per key: a guess at a short secret key is dear, and a run pays once."""


class Keys:
    """``secret_key``: one or several of any length, separated by commas. ``key_file``: made when there is nothing else."""

    def __init__(self, secret_key: str | None, key_file: Path) -> None:
        self._secrets = [part for piece in (secret_key or "").split(",") if (part := piece.strip())]
        self._key_file = key_file
        self._derived: dict[tuple[str, bytes], Fernet] = {}

    def __repr__(self) -> str:
        return "Keys(***)"

    def sealing(self, salt: bytes) -> MultiFernet:
        """For saving. Makes the key file when there is no key at all; raises Configure when that fails."""
        if not self._all():
            _make_key_file(self._key_file)
        opened = self.opening(salt)
        if opened is None:
            raise Configure(f"The key file {self._key_file} is empty. Set TIEOUT_SECRET_KEY, or remove that file.")
        return opened

    def opening(self, salt: bytes) -> MultiFernet | None:
        """For reading; None when there is no key."""
        keys = [self._fernet(secret, salt) for secret in self._all()]
        return MultiFernet(keys) if keys else None

    def _all(self) -> list[str]:
        return [*self._secrets, *_read_key_file(self._key_file)]

    def _fernet(self, secret: str, salt: bytes) -> Fernet:
        if (secret, salt) not in self._derived:
            key = Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(secret.encode())
            self._derived[secret, salt] = Fernet(base64.urlsafe_b64encode(key))
        return self._derived[secret, salt]


def _read_key_file(path: Path) -> list[str]:
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeError) as error:
        raise Configure(
            f"The key file {path} cannot be read. Give this user the right to read it, or set TIEOUT_SECRET_KEY.",
            detail=str(error),
        ) from error
    return [text] if text else []


def _make_key_file(path: Path) -> None:
    """Another process may do the same at this moment: the first one's key stands for both."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # mode 0600 from the start
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(32))
                file.flush()
                os.fsync(file.fileno())
            _link_unless_there(Path(temporary), path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise Configure(
            f"The key file {path} cannot be made. Give this user the right to write there, or set TIEOUT_SECRET_KEY.",
            detail=str(error),
        ) from error


def _link_unless_there(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return
    if os.name != "posix":
        return  # Windows cannot sync a directory
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
