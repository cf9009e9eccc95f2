"""`python -m benchmarks [NAME] [--json]`."""

import sys

from benchmarks.command_line import main

sys.exit(main(sys.argv[1:]))
