"""The wire of callbacks: signature, cipher, XML; strict where the provider's own library is not (wechat.md 1.4).

One error type says everything that can be wrong with what came in. Nothing here waits or remembers.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from xml.parsers import expat

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from normalizer.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BODY = 64 * 1024
MAX_DEPTH = 5
MAX_ELEMENTS = 64
BLOCK = 32
"""WeChat pads to 32 bytes, not to the cipher's 16 (wechat.md 2.1)."""
_LEAD = 16
_LENGTH = 4
_POOL = 8192

# The shapes that nearly all callbacks have are read by one match each: a match must cover the whole document,
# and whatever does not fit goes the long way through the parser, which decides.
_BEFORE, _AFTER = b"<Encrypt><![CDATA[", b"]]></Encrypt>"
_HEAD = re.compile(rb"\s*<xml>\s*<ToUserName><!\[CDATA\[[^\]<>]*\]\]></ToUserName>\s*")
_TAIL = re.compile(rb"\s*(?:<AgentID>[^<>]*</AgentID>\s*)?</xml>\s*")
_TEXT_MESSAGE = re.compile(
    r"\s*<xml>\s*<ToUserName><!\[CDATA\[(?P<ToUserName>[^\]]*)\]\]></ToUserName>\s*"
    r"<FromUserName><!\[CDATA\[(?P<FromUserName>[^\]]*)\]\]></FromUserName>\s*"
    r"<CreateTime>(?P<CreateTime>[^<>&\]]*)</CreateTime>\s*<MsgType><!\[CDATA\[(?P<MsgType>text)\]\]></MsgType>\s*"
    r"<Content><!\[CDATA\[(?P<Content>[^\]]*)\]\]></Content>\s*<MsgId>(?P<MsgId>[^<>&\]]*)</MsgId>\s*</xml>\s*",
)
_FIELD = re.compile(r"<(\w{1,32})>(?:<!\[CDATA\[([^\]]*(?:\][^\]]+)*)\]\]>|([^<>&\]]*))</\1>\s*", re.ASCII)
_OPEN, _CLOSE = re.compile(r"\s*<xml>\s*"), re.compile(r"</xml>\s*")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


def query_of(raw: str) -> dict[str, str]:
    """Return the parameters of a callback's address; the last of a name that comes twice."""
    if "%" in raw or "+" in raw:
        return dict(parse_qsl(raw, keep_blank_values=True))
    cut = [pair.partition("=") for pair in raw.split("&")]
    return {name: value for name, equals, value in cut if equals}


def signature(*parts: str) -> str:
    """Return the hex SHA-1 of the parts, sorted and joined."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def signed(given: str, *parts: str) -> bool:
    """Return whether a signature is right, in constant time."""
    return hmac.compare_digest(signature(*parts).encode(), given.encode())


class Crypter:
    """Encrypts with the account's key, and decrypts with it or the one before.

    Each cipher runs on for ever instead of beginning anew for every message, which would cost more than the message:
    CBC then differs in the first block only, and there WeChat puts 16 random bytes that nobody reads.
    """

    def __init__(self, app_id: str, keys: Sequence[bytes]) -> None:
        self.random = Pool()
        self._app_id = app_id.encode()
        ciphers = [Cipher(algorithms.AES(key), modes.CBC(key[:_LEAD])) for key in keys]
        self._decryptors = [cipher.decryptor() for cipher in ciphers]
        self._encryptor = ciphers[0].encryptor() if ciphers else None

    def decrypt(self, sealed: str) -> bytes:
        """Return the message inside; raises InvalidInput when it is not for this account."""
        try:
            data = binascii.a2b_base64(sealed, strict_mode=True)
        except ValueError as error:
            raise InvalidInput("bad_base64") from error
        if not data or len(data) % 16:
            raise InvalidInput("bad_length")
        reason = "bad_cipher"
        for decryptor in self._decryptors:
            try:
                return self._message(decryptor.update(data))
            except InvalidInput as error:
                reason = str(error)
        raise InvalidInput(reason)

    def encrypt(self, message: bytes) -> str:
        """Return the message sealed for this account's provider."""
        assert self._encryptor is not None
        plain = self.random.take(_LEAD) + len(message).to_bytes(_LENGTH) + message + self._app_id
        pad = BLOCK - len(plain) % BLOCK
        sealed = self._encryptor.update(plain + bytes((pad,)) * pad)
        return binascii.b2a_base64(sealed, newline=False).decode()

    def _message(self, plain: bytes) -> bytes:
        pad = plain[-1]
        if not 1 <= pad <= BLOCK or plain[-pad:] != bytes((pad,)) * pad:
            raise InvalidInput("bad_padding")
        start = _LEAD + _LENGTH
        end = start + int.from_bytes(plain[_LEAD:start])
        if end > len(plain) - pad:
            raise InvalidInput("bad_length")
        if not hmac.compare_digest(plain[end:-pad], self._app_id):
            raise InvalidInput("other_app_id")
        return plain[start:end]


class Pool:
    """Random bytes fetched many at a time: asking the kernel costs as much as encrypting a message."""

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return ``count`` bytes that were never returned before."""
        if self._at + count > len(self._bytes):
            self._bytes, self._at = os.urandom(_POOL), 0
        self._at += count
        return self._bytes[self._at - count : self._at]


class _Flat:
    """Collects elements, those of a list as a list; refuses what a callback never holds."""

    __slots__ = ("_names", "_stack", "_text", "count")

    def __init__(self) -> None:
        self._stack: list[dict[str, object]] = [{}]
        self._names: list[str] = []
        self._text: list[str] = []
        self.count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - WeChat uses none
        self.count += 1
        if self.count > MAX_ELEMENTS or len(self._names) >= MAX_DEPTH:
            raise TooLarge("too_deep_or_many")
        self._names.append(name)
        self._stack.append({})
        self._text.clear()

    def text(self, data: str) -> None:
        self._text.append(data)

    def end(self, name: str) -> None:
        self._names.pop()
        inside = self._stack.pop()
        around = self._stack[-1]
        value: object = inside or "".join(self._text)
        if name in _REPEATED:
            # In a list of results the provider repeats <item>; a message's own fields never repeat.
            listed = around.setdefault(name, [])
            assert isinstance(listed, list)
            listed.append(value)
        elif name in around:
            raise InvalidInput("repeated_element")
        else:
            around[name] = value
        self._text.clear()

    def root(self) -> dict[str, object]:
        root = self._stack[0].get("xml")
        if not isinstance(root, dict):
            raise InvalidInput("not_a_message")
        return root


_REPEATED = frozenset({"item", "List"})


def sealed_part(data: bytes) -> object:
    """Return what stands in ``Encrypt``, None when there is none; raises InvalidInput or TooLarge."""
    if len(data) > MAX_BODY:
        raise TooLarge("too_large")
    head, _, rest = data.partition(_BEFORE)
    sealed, _, tail = rest.partition(_AFTER)
    # The sealed characters need no pattern: the signature covers them, and decoding them is strict.
    if sealed and sealed.isascii() and _HEAD.fullmatch(head) and _TAIL.fullmatch(tail):
        return sealed.decode()
    return parse_xml(data).get("Encrypt")


def parse_xml(data: bytes) -> dict[str, object]:
    """Return the fields of a callback's XML; raises InvalidInput or TooLarge."""
    if len(data) > MAX_BODY:
        raise TooLarge("too_large")
    return _flat(data) or _tree(data)


def _flat(data: bytes) -> dict[str, object] | None:
    """Return the fields of a document without nesting, None when it is anything else."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if _controls(text) or (start := _OPEN.match(text)) is None:
        return None
    if (found := _TEXT_MESSAGE.fullmatch(text)) is not None:
        return found.groupdict()
    fields: dict[str, object] = {}
    at, count = start.end(), 0
    for found in _FIELD.finditer(text, at):
        if found.start() != at:
            break
        name, quoted, bare = found.groups()
        fields[name] = quoted if quoted is not None else bare
        at, count = found.end(), count + 1
    whole = _CLOSE.fullmatch(text, at) is not None
    return fields if whole and count == len(fields) <= MAX_ELEMENTS else None


def _tree(data: bytes) -> dict[str, object]:
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    flat = _Flat()
    parser.StartElementHandler = flat.start
    parser.EndElementHandler = flat.end
    parser.CharacterDataHandler = flat.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise InvalidInput("not_xml") from error
    return flat.root()


def cdata(text: str) -> str:
    """Return text for a CDATA section: without control characters, and with ``]]>`` split in two."""
    return printable(text).replace("]]>", "]]]]><![CDATA[>")


def printable(text: str) -> str:
    """Return a text without control characters and halves of characters."""
    return _CONTROL.sub("", text) if _controls(text) else text


def _controls(text: str) -> bool:
    """Return whether there is a character XML cannot hold; most texts are seen to have none at a glance."""
    return not text.isprintable() and _CONTROL.search(text) is not None


def text_reply(to_user: str, from_user: str, at: int, text: str) -> str:
    """Return the XML of a passive text reply (wechat.md 2.4)."""
    return (
        f"<xml><ToUserName><![CDATA[{cdata(to_user)}]]></ToUserName>"
        f"<FromUserName><![CDATA[{cdata(from_user)}]]></FromUserName>"
        f"<CreateTime>{at}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{cdata(text)}]]></Content></xml>"
    )


def sealed_reply(crypter: Crypter, token: str, message: str, at: int) -> str:
    """Return the XML of an encrypted reply."""
    nonce = str(int.from_bytes(crypter.random.take(_LENGTH)))
    sealed = crypter.encrypt(message.encode())
    stamp = str(at)
    return (
        f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt>"
        f"<MsgSignature><![CDATA[{signature(token, stamp, nonce, sealed)}]]></MsgSignature>"
        f"<TimeStamp>{stamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    )


def _refuse(*_: object) -> None:
    raise InvalidInput("forbidden_markup")
