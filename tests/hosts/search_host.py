"""Sent to a host: search its files and its journal for secrets; prints the leaks as JSON. `given` comes from what sends it."""
# mypy: ignore-errors
# ruff: noqa: F821

import json
import os
import subprocess
from pathlib import Path

LEFT_OUT = {"/proc", "/sys", "/dev", "/usr", "/boot", *given["kept"]}
NEEDLES = {name: value.encode() for name, value in given["secrets"].items()}
found, files = [], 0
for top, directories, names in os.walk("/"):
    directories[:] = [name for name in directories if str(Path(top, name)) not in LEFT_OUT]
    for path in (Path(top, name) for name in names):
        try:
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                files += 1
                found += [f"{secret} in {path}" for secret, value in NEEDLES.items() if value in content]
        except OSError:
            continue
journal = subprocess.run(["journalctl", "--all", "--output=export", "--no-pager"], stdout=subprocess.PIPE, check=True).stdout
found += [f"{secret} in the journal" for secret, value in NEEDLES.items() if value in journal]
print(json.dumps({"leaks": found, "files": files, "journal_bytes": len(journal)}))
