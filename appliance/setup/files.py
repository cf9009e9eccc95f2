"""Files of the machine that are replaced whole, and only when their content changes."""

import os
from pathlib import Path


def write_if_changed(path: Path, text: str, *, mode: int) -> bool:
    """Give `path` this content and mode by renaming a finished file over it; returns whether anything changed."""
    if path.is_file() and path.read_text() == text and path.stat().st_mode & 0o777 == mode:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
    return True
