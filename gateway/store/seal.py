"""Sealing of personal data at rest, and the keyed hashes that find it (PIPL 51, domain.md 1.10).

AES-256-GCM; a nonce is 56 random bits of the process and a 40-bit count, so none comes twice and no lock is
needed. Another cipher (SM4) implements the same two methods. One key file
feeds three derived keys, so that a hash never helps to open a seal.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import os
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from normalizer.errors import InvalidInput, Misconfigured
from normalizer.people import valid_phone

KEY_BYTES = 32
CONVERSATIONS = 8_192
"""Ids of conversations that are remembered."""
_AES_GCM = b"\x01"
_NONCE_BYTES = 12
_PREFIX_BYTES = 7


class Cipher(Protocol):
    """Seals and opens bytes; what is sealed says by its first byte how."""

    def seal(self, plain: bytes) -> bytes:
        """Return the sealed bytes."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """Return the plain bytes; raises InvalidInput when they were changed or the key is another."""
        ...


class Sealer:
    """Seals with AES-256-GCM and hashes with HMAC-SHA-256, all from one master key."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise Misconfigured("key_file", f"the key must be {KEY_BYTES} bytes; let jiesu make a new one")
        self._aead = AESGCM(_derive(master, b"jiesu seal"))
        self._hash = hmac.new(_derive(master, b"jiesu hash"), digestmod=hashlib.sha256)
        self._prefix = os.urandom(_PREFIX_BYTES)
        self._count = itertools.count().__next__
        # A person writes several times, and a keyed hash costs as much as opening what it finds.
        self._conversation = lru_cache(CONVERSATIONS)(self.hash)
        self.mark = hmac.digest(_derive(master, b"jiesu mark"), b"mark", "sha256").hex()

    def seal(self, plain: bytes) -> bytes:
        """Return the sealed bytes."""
        nonce = self._prefix + self._count().to_bytes(_NONCE_BYTES - _PREFIX_BYTES)
        return _AES_GCM + nonce + self._aead.encrypt(nonce, plain, None)

    def open(self, sealed: bytes) -> bytes:
        """Return the plain bytes; raises InvalidInput when they were changed or the key is another."""
        if sealed[:1] != _AES_GCM:
            raise InvalidInput("sealed by a cipher this program does not know")
        try:
            return self._aead.decrypt(sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :], None)
        except InvalidTag as error:
            raise InvalidInput("sealed data was changed or the key is another") from error

    def hash(self, value: str) -> bytes:
        """Return the 32-byte keyed hash by which a value is found again."""
        return self.hash_bytes(value.encode())

    def hash_bytes(self, value: bytes) -> bytes:
        """Return the 32-byte keyed hash of bytes."""
        keyed = self._hash.copy()
        keyed.update(value)
        return keyed.digest()

    def conversation(self, account: str, user: str) -> bytes:
        """Return the 16-byte id of the conversation between an account and a person."""
        return self._conversation(f"{account}\0{user}")[:16]

    def person(self, phone: str) -> bytes:
        """Return who somebody is by his telephone: 16 bytes, the same however the number is written."""
        return self.hash(f"phone {valid_phone(phone) or phone}")[:16]


def load_key(path: Path) -> bytes:
    """Return the master key, made on first use and readable by its owner only."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _read_key(path)
    except OSError as error:
        raise Misconfigured("key_file", f"cannot write {path.name}: {error.strerror}") from error
    key = os.urandom(KEY_BYTES)
    with os.fdopen(descriptor, "w") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key


def _read_key(path: Path) -> bytes:
    try:
        return bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise Misconfigured("key_file", f"{path.name} must hold {KEY_BYTES} bytes in hexadecimal") from error


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, None, purpose).derive(master)
