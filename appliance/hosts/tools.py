"""What the appliance runs on a managed host for itself: the packages `backup` and `monitoring`, sent as one archive."""

import hashlib
import tempfile
import zipfile
from pathlib import Path

import backup
import monitoring

FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The same sources give the same archive, byte by byte."""


def write_archive(file: Path) -> str:
    """Write both packages as a zip that Python can import from; returns its SHA-256 digest."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in (backup, monitoring):
            root = Path(str(package.__file__)).parent
            for source in sorted(root.rglob("*.py")):
                entry = zipfile.ZipInfo(str(source.relative_to(root.parent)), FIRST_MOMENT)
                entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
                archive.writestr(entry, source.read_bytes())
    return hashlib.sha256(file.read_bytes()).hexdigest()


def archive_digest() -> str:
    """The SHA-256 digest of the archive that would be sent now."""
    with tempfile.TemporaryDirectory(prefix="appliance-tools-") as directory:
        return write_archive(Path(directory) / "packages.zip")
