"""What `bin/up` refuses before it changes anything."""

import os
import subprocess
from pathlib import Path

import pytest

UP = Path(__file__).resolve().parents[2] / "bin" / "up"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--everything"], "bin/up knows no --everything"),
        (["--recover"], "--recover is not followed by a word"),
        (["--domain"], "--domain is not followed by a word"),
        (["--recover", "missing.toml"], "The recovery kit missing.toml cannot be read"),
        (["--recover=missing.toml"], "The recovery kit missing.toml cannot be read"),
        (["--recover", "kit.toml", "--empty"], "--recover brings CRMs back, and --empty wants none"),
        (["--empty", "--recover=kit.toml"], "--recover brings CRMs back, and --empty wants none"),
        (["--production", "--recover", "kit.toml"], "not one in production"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "kit.toml").write_text("")
    log = tmp_path / "up.log"
    environment = {**os.environ, "APPLIANCE_UP_LOG": str(log)}
    ended = subprocess.run([str(UP), *words], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment, timeout=60)
    assert (ended.returncode, said in ended.stderr, "nothing was changed" in ended.stderr) == (2, True, True), ended.stderr
    assert not log.exists()
