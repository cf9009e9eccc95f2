"""The files that pages load, each at an address that holds the hash of its content, so that browsers may keep it for ever."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response

from appliance.errors import ConfigurationError, NotFound

DIRECTORIES = (Path(__file__).parent / "static", Path(__file__).parent / "assets")
EXPECTED = (
    "tabler.min.css",
    "htmx.min.js",
    "hx-sse.min.js",
    "panel.css",
    "panel.js",
    "passkeys.js",
    "theme.js",
    "status.css",
    "status.js",
    "favicon.svg",
)
WORTH_COMPRESSING_BYTES = 1024

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file, kept in memory plain and compressed."""

    url: str
    media_type: str
    content: bytes
    compressed: bytes


@dataclass(frozen=True, kw_only=True)
class Assets:
    """All of them by file name."""

    by_name: Mapping[str, Asset]

    def url(self, name: str) -> str:
        """Address of a file, with the hash of its content."""
        return self.by_name[name].url


def load_assets() -> Assets:
    """Read the files. Raises ConfigurationError when one is missing, as in a clone where they were never fetched."""
    files = {file.name: file for directory in DIRECTORIES if directory.is_dir() for file in directory.iterdir()}
    if missing := [name for name in EXPECTED if name not in files]:
        raise ConfigurationError(f"The panel lacks {', '.join(missing)}. Run `python hatch_build.py` in the clone, or install the wheel.")
    return Assets(by_name={name: _load(files[name]) for name in EXPECTED})


def _load(file: Path) -> Asset:
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Asset(url=f"/assets/{digest}/{file.name}", media_type=media_type, content=content, compressed=gzip.compress(content, mtime=0))


@router.get("/assets/{digest}/{name}")
def show_asset(request: Request, digest: str, name: str) -> Response:
    """Give a file; an address with another hash does not exist."""
    assets: Assets = request.app.state.panel.assets
    asset = assets.by_name.get(name)
    if asset is None or asset.url != f"/assets/{digest}/{name}":
        raise NotFound("There is no such file.")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", "") and len(asset.content) > WORTH_COMPRESSING_BYTES:
        return Response(asset.compressed, media_type=asset.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.content, media_type=asset.media_type, headers=headers)
