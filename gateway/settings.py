"""Settings from a TOML file and the environment; every wrong one is named, with what to do.

The environment wins: ``JIESU_DATABASE``, nested names by two underscores (``JIESU_CHANNELS__WX__SECRET``). A secret
may stand in a file of its own: ``secret_file = "/run/secrets/wx"`` instead of ``secret``.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from gateway.desk_settings import DeskSettings, Oidc
from normalizer import media
from normalizer.errors import Misconfigured
from normalizer.message import SourceChannel

PREFIX = "JIESU_"
_NOT_SETTINGS = frozenset({"JIESU_CONFIG", "JIESU_WORKER", "JIESU_REQUIRE_BROWSER", "JIESU_REQUIRE_SERVERS"})
_FILE = "_file"
_PLAIN_FILE = frozenset({"key_file"})
MIN_KEY = 16
"""Characters an API key has at least; it is the only thing that is asked for."""
_TILES = re.compile(r"https?://[\w.{}:-]+/(?=\S*\{x\})(?=\S*\{y\})(?=\S*\{z\})[^\s\"'<>;]+")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Strict):
    """How much may wait, and how fast one sender is served."""

    pending: int = Field(default=4096, gt=0)
    sender_per_second: float = Field(default=50.0, gt=0)
    sender_burst: float = Field(default=500.0, ge=1)


class Partner(_Strict):
    """An Open311 client: its key, what its cases are counted as (来源渠道), its pace, and the unit it speaks for."""

    key: SecretStr = Field(min_length=MIN_KEY)
    source: SourceChannel = SourceChannel.APP
    requests_per_minute: int = Field(default=60, gt=0)
    posts_per_day: int = Field(default=1000, gt=0)
    unit: str = ""


class Open311(_Strict):
    """The Open311 door: who may post, whom to write to, and of which jurisdiction it is (empty: any is taken)."""

    api_keys: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")], Partner] = Field(
        default_factory=dict
    )
    contact: str = ""
    endpoint_type: Literal["production", "test"] = "production"
    jurisdiction: str = ""

    @field_validator("api_keys", mode="before")
    @classmethod
    def _bare(cls, raw: Any) -> Any:
        """Take a bare key for a partner with nothing else set."""
        if not isinstance(raw, Mapping):
            return raw
        return {name: {"key": given} if isinstance(given, str) else given for name, given in raw.items()}

    @model_validator(mode="after")
    def _told_apart(self) -> Open311:
        keys = [partner.key.get_secret_value() for partner in self.api_keys.values()]
        if len(set(keys)) < len(keys):
            message = "open311.api_keys: two partners have the same key"
            raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True)
class Map:
    """A map for showing a place: where its tiles come from, in which degrees they are drawn, where it opens."""

    tiles: str
    attribution: str
    subdomains: str
    datum: str
    center: str
    zoom: int

    @property
    def origins(self) -> tuple[str, ...]:
        """Return the origins that tiles come from, which a page must be allowed to show pictures of."""
        parts = urlsplit(self.tiles)
        hosts = [parts.netloc.replace("{s}", each) for each in self.subdomains or "-"]
        return tuple(dict.fromkeys(f"{parts.scheme}://{host}" for host in hosts))


class Portal(_Strict):
    """The citizens' pages: which proxies stand before them, how fast one address or one person may ask, and a map.

    Behind a proxy name it, else all citizens are one address; many people may share one (an office, a mobile network).
    ``map_datum`` says in which degrees the tiles are drawn; ``map_center`` is longitude and latitude in the same.
    """

    trusted_proxies: tuple[str, ...] = ()
    address_per_second: float = Field(default=20.0, gt=0)
    address_burst: float = Field(default=200.0, ge=1)
    session_per_second: float = Field(default=2.0, gt=0)
    session_burst: float = Field(default=60.0, ge=1)
    map_tiles: str = ""
    map_attribution: str = ""
    map_subdomains: str = ""
    map_datum: Literal["wgs84", "gcj02"] = "gcj02"
    map_center: str = Field(default="104.0,35.5", pattern=r"^-?\d+(\.\d+)?,-?\d+(\.\d+)?$")
    map_zoom: int = Field(default=4, ge=1, le=18)

    @field_validator("map_tiles")
    @classmethod
    def _tiles(cls, given: str) -> str:
        local = urlsplit(given).hostname in {"127.0.0.1", "localhost"}
        if given and not (_TILES.fullmatch(given) and (local or given.startswith("https://"))):
            message = "write https://…/{z}/{x}/{y}…, the address of one tile"
            raise ValueError(message)
        return given

    @property
    def map(self) -> Map | None:
        """Return the map, None where none is set."""
        if not self.map_tiles:
            return None
        return Map(
            tiles=self.map_tiles,
            attribution=self.map_attribution,
            subdomains=self.map_subdomains,
            datum=self.map_datum,
            center=self.map_center,
            zoom=self.map_zoom,
        )

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for each in given:
            ipaddress.ip_network(each)
        return given


_MB = 1024 * 1024


class MediaLimits(_Strict):
    """What is accepted of each kind: MB, million pixels, minutes, and how many files of one owner."""

    image_mb: int = Field(default=30, gt=0)
    image_megapixels: int = Field(default=120, gt=0)
    video_mb: int = Field(default=500, gt=0)
    video_minutes: int = Field(default=15, gt=0)
    voice_mb: int = Field(default=30, gt=0)
    voice_minutes: int = Field(default=30, gt=0)
    file_mb: int = Field(default=50, gt=0)
    count: int = Field(default=20, gt=0)

    @property
    def limits(self) -> media.Limits:
        """The limits in bytes, pixels and seconds."""
        return media.Limits(
            image=media.Limit(self.image_mb * _MB, pixels=self.image_megapixels * 1_000_000),
            video=media.Limit(self.video_mb * _MB, seconds=self.video_minutes * 60),
            voice=media.Limit(self.voice_mb * _MB, seconds=self.voice_minutes * 60),
            file=media.Limit(self.file_mb * _MB),
            count=self.count,
        )


class Bucket(_Strict):
    """How the S3 server of ``media = "s3://bucket/prefix"`` is reached."""

    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret: SecretStr = SecretStr("")
    virtual_host: bool = False


class Routes(_Strict):
    """Which account tells people by text message, and which by mail; empty: the first there is of each."""

    sms: str = ""
    email: str = ""


class Speech(_Strict):
    """The service that writes recordings down: asked by POST, with ``secret`` as its bearer token, for so many seconds."""

    url: str = Field(default="", pattern=r"^(|https?://.+)$")
    secret: SecretStr | None = None
    seconds: float = Field(default=30.0, gt=0, le=600)


class Settings(_Strict):
    """Everything that one installation decides."""

    database: str = "sqlite:///jiesu.sqlite3"
    redis: str | None = None
    media: str | None = None
    media_limits: MediaLimits = MediaLimits()
    media_workers: int = Field(default=2, gt=0)
    s3: Bucket = Field(default=Bucket(), repr=False)
    ocr: bool = False
    documents: bool = False
    clamd: str = Field(default="", pattern=r"^(|.+:[0-9]+)$")
    profile: Path | None = None
    key_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8345, ge=0, le=65535)
    workers: int = Field(default=1, ge=1)
    public_url: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    migrate: Literal["auto", "manual"] = "auto"
    limits: Limits = Limits()
    open311: Open311 = Open311()
    portal: Portal = Portal()
    routes: Routes = Routes()
    speech: Speech = Field(default=Speech(), repr=False)
    desk: DeskSettings = DeskSettings()
    channels: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, repr=False)

    @model_validator(mode="after")
    def _fit(self) -> Settings:
        if self.media is not None and "://" in self.media and not self.media.startswith(("file://", "s3://")):
            message = "media: write file:///path/to/folder or s3://bucket/prefix"
            raise ValueError(message)
        if self.workers > 1 and self.database.startswith("sqlite:"):
            message = "workers: one SQLite file belongs to one process; use PostgreSQL for several, or set workers = 1"
            raise ValueError(message)
        if self.desk.oidc is not None and not self.public_url:
            message = "public_url: set it; the provider of desk.oidc sends people back to it"
            raise ValueError(message)
        return self

    @property
    def media_path(self) -> Path:
        """Where files are kept: as set, else beside the SQLite file, else in the working folder."""
        if self.media is not None:
            return Path(self.media.removeprefix("file://"))
        if self.database.startswith("sqlite:///"):
            return Path(self.database.removeprefix("sqlite:///")).with_suffix(".media")
        return Path("jiesu.media")

    @property
    def key_path(self) -> Path:
        """Where the master key is: as set, else beside the SQLite file, else in the working folder."""
        if self.key_file is not None:
            return self.key_file
        if self.database.startswith("sqlite:///"):
            return Path(self.database.removeprefix("sqlite:///") + ".key")
        return Path("jiesu.key")


_ROOMS: Mapping[str, type[BaseModel]] = {
    "desk": DeskSettings,
    "limits": Limits,
    "media_limits": MediaLimits,
    "open311": Open311,
    "portal": Portal,
    "routes": Routes,
    "s3": Bucket,
    "speech": Speech,
}


def load(path: Path | None, environ: Mapping[str, str], **given: object) -> Settings:
    """Return the settings of a file, the environment, and what the command line gave; raises Misconfigured."""
    raw = _file(path) if path is not None else {}
    _merge(raw, _environment(environ))
    raw |= given
    raw = _secrets(raw)
    if path is not None:
        _anchor(raw, path.resolve().parent)
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise _misconfigured(first["loc"], first["type"], first["msg"]) from None


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Misconfigured("--config", f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured("--config", f"{path.name} is not valid TOML: {error}") from error


def _environment(environ: Mapping[str, str]) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name in _NOT_SETTINGS or name.startswith("JIESU_TEST_"):
            continue
        *parents, leaf = name.removeprefix(PREFIX).lower().split("__")
        place = raw
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
    return raw


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for name, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(name), dict):
            _merge(below[name], value)
        else:
            below[name] = value


def _secrets(raw: Mapping[str, Any], plain: frozenset[str] = _PLAIN_FILE) -> dict[str, Any]:
    """Read every ``…_file`` into the setting it stands for, but those that are ``plain`` names of files."""
    read: dict[str, Any] = {}
    for name, value in raw.items():
        if isinstance(value, Mapping):
            read[name] = _secrets(value, frozenset())
        elif name.endswith(_FILE) and name not in plain:
            read[name.removesuffix(_FILE)] = _content(name, str(value))
        else:
            read[name] = value
    return read


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise Misconfigured(name, f"cannot read {path}: {error.strerror}") from error


def _anchor(raw: dict[str, Any], folder: Path) -> None:
    """Read relative paths from the configuration's folder, and keep the key there."""
    database = str(raw.get("database", "sqlite:///jiesu.sqlite3"))
    if database.startswith("sqlite:///"):
        raw["database"] = f"sqlite:///{folder / database.removeprefix('sqlite:///')}"
    elif not raw.get("key_file"):
        raw["key_file"] = folder / "jiesu.key"
    for name in ("key_file", "profile"):
        if raw.get(name):
            raw[name] = folder / str(raw[name])
    if str(raw.get("media") or "").startswith("s3://"):
        return
    if raw.get("media") or not database.startswith("sqlite:///"):
        raw["media"] = f"file://{folder / str(raw.get('media') or 'jiesu.media').removeprefix('file://')}"


def _misconfigured(where: tuple[int | str, ...], kind: str, message: str) -> Misconfigured:
    name = ".".join(str(part) for part in where)
    if kind == "extra_forbidden":
        known = _known(where).model_fields
        near = difflib.get_close_matches(str(where[-1]), known, 1)
        return Misconfigured(
            name, f"there is no such setting{f'; did you mean {near[0]}?' if near else '; remove it'}"
        )
    if not name:
        name, _, message = message.removeprefix("Value error, ").partition(": ")
    return Misconfigured(name, message)


def _known(where: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the room in which a wrong setting stands."""
    if where[:2] == ("open311", "api_keys"):
        return Partner
    if where[:2] == ("desk", "oidc"):
        return Oidc
    return _ROOMS.get(str(where[0]), Settings)
