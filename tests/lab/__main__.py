"""`python -m tests.lab`: the lab by hand."""

import sys

from tests.lab.places import TREE

sys.path.insert(0, str(TREE / "bin"))  # as pytest's settings say

from tests.lab.command_line import main

sys.exit(main(sys.argv[1:]))
