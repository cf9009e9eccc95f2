"""Print up to when what is received in a spool (the argument) lies in each repository, as one JSON object by outlet; nothing is changed."""

import json
import sys
from pathlib import Path


def main() -> None:
    """Look and print."""
    noted = sorted(Path(sys.argv[1]).glob("*.shipped.json"))
    print(json.dumps({file.name.removesuffix(".shipped.json"): json.loads(file.read_text())["at"] for file in noted}))


if __name__ == "__main__":
    main()
