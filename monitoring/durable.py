"""What has to outlast a power cut."""

import os
from pathlib import Path


def sync_directory(directory: Path) -> None:
    """See that the names in a directory are on disk. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
