"""Where a repository can be, in restic's own words, and what restic is told so that it gets there."""

import re
from collections.abc import Mapping
from pathlib import Path

HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
PLACE = r"(?:/[A-Za-z0-9._-]+)+"
REMOTE = {
    "sftp": re.compile(rf"sftp://[a-z_][a-z0-9_-]*@{HOST}(?::[0-9]{{1,5}})?/{PLACE}"),
    "rest": re.compile(rf"rest:https?://{HOST}(?::[0-9]{{1,5}})?{PLACE}/"),
    "s3": re.compile(rf"s3:https?://{HOST}(?::[0-9]{{1,5}})?{PLACE}"),
    "rclone": re.compile(rf"rclone:[A-Za-z0-9_-]+:{PLACE[3:-2]}(?:{PLACE})?"),
}
CREDENTIALS = frozenset(
    {
        "RESTIC_REST_USERNAME",
        "RESTIC_REST_PASSWORD",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_DEFAULT_REGION",
        "RCLONE_CONFIG_PASS",
    }
)
"""What restic and rclone read from their environment, where no other user sees it."""


def kind_of(location: str) -> str | None:
    """Give the kind of a repository that is elsewhere, None for what is none.

    >>> kind_of("sftp://backup@nas.example.org//srv/crm"), kind_of("rest:https://nas:8000/crm/"), kind_of("s3:https://s3.example.org/crm")
    ('sftp', 'rest', 's3')
    >>> kind_of("sftp:-oProxyCommand=touch pwned:/srv"), kind_of("/srv/backups")
    (None, None)
    """
    return next((kind for kind, pattern in REMOTE.items() if pattern.fullmatch(location)), None)


def environment_of(credentials: Mapping[str, str]) -> dict[str, str]:
    """Read each credential from its file; raises OSError where one cannot be read."""
    return {name: Path(file).read_text().strip() for name, file in credentials.items()}


def flags_of(*, key_file: str | None, known_hosts: str | None, authority: str | None) -> list[str]:
    """Give restic's flags for a connection: whom an SFTP server is asked by and must be, and who vouches for an HTTPS one.

    >>> flags_of(key_file="/k", known_hosts="/h", authority=None)
    ['--option', 'sftp.args=-i /k -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/h']
    """
    ssh = f"-i {key_file} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile={known_hosts}"
    return (["--option", f"sftp.args={ssh}"] if key_file else []) + (["--cacert", authority] if authority else [])
