"""`python -m benchmarks [NAME] [--json]`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bin"))  # as pytest's settings say; the lab asks for it

from benchmarks.command_line import main

sys.exit(main(sys.argv[1:]))
