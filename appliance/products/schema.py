"""Write the JSON Schema of product definitions: python -m appliance.products.schema docs/product-definition.schema.json."""

import json
import sys
from pathlib import Path

from appliance.domain.product import json_schema


def main(path: Path) -> None:
    """Write the schema to a file."""
    path.write_text(json.dumps(json_schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
