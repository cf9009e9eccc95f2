"""Where this machine's pip gets packages from. Its files are read here, as pip reads them, since pip itself need not be installed.

The role `release` and `bin/groundwork` read them too, for they run where this package is not; `tests/unit/test_pip_settings.py` holds all
three against pip.
"""

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

from appliance.errors import ConfigurationError

OF_THE_MACHINE = (Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"))
OF_THE_USER = (Path(".pip/pip.conf"), Path(".config/pip/pip.conf"))
SECTIONS = ("global", "install")
PREFIX = "PIP_"


def read_pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """pip's settings for installing, by option: [install] wins over [global], the environment over both; an empty value is none.

    Raises ConfigurationError for files that pip could not read either.
    """
    parser = configparser.RawConfigParser()
    try:
        parser.read(_files(environment))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ConfigurationError(f"pip's settings on this machine cannot be read: {str(error).splitlines()[0]}") from None
    sources = [parser[section] for section in SECTIONS if parser.has_section(section)]
    variables = {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}
    return {name.lower().replace("_", "-"): value for source in (*sources, variables) for name, value in source.items() if value}


def _files(environment: Mapping[str, str]) -> list[Path]:
    """Those that are read, later ones winning. One that is named takes the place of the user's; the null device, of all."""
    named = environment.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return []
    if named and Path(named).exists():
        return [*OF_THE_MACHINE, Path(named)]
    home = Path(environment.get("HOME", "~")).expanduser()
    return [*OF_THE_MACHINE, *(home / file for file in OF_THE_USER)]
