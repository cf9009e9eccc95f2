"""Make restic open a test's repository quickly.

restic tunes the cost of its key derivation to half a second of CPU when it creates a repository, and pays it on every
run. A test makes dozens of runs, so its repository's keys are wrapped anew with a cost of almost nothing.
"""

import hashlib
from pathlib import Path

from backup.quick_key import KeyFile, open_master, wrap_master


def make_opening_cheap(repository: Path, *passwords: str) -> None:
    """Replace the key files of a repository, each of which one of the passwords opens; nothing may be at work in it meanwhile."""
    for file in list((repository / "keys").iterdir()):
        key = KeyFile.model_validate_json(file.read_bytes())
        password, master = next((one, master) for one in passwords if (master := open_master(key, one)) is not None)
        content = wrap_master(key, master, password).model_dump_json().encode()
        file.chmod(0o600)
        file.unlink()
        (file.parent / hashlib.sha256(content).hexdigest()).write_bytes(content)
