"""Ask the Prometheus of this host what it cannot read.

Argument: its address. Prints a JSON list of [job, address, why], empty when all is well; what was not asked yet is among them.
"""

import json
import sys
import urllib.request

if __name__ == "__main__":
    with urllib.request.urlopen(f"http://{sys.argv[1]}/api/v1/targets?state=active", timeout=20) as answer:
        found = json.load(answer)["data"]["activeTargets"]
    missing = [(one["labels"]["job"], one["scrapeUrl"], one["lastError"] or "not asked yet") for one in found if one["health"] != "up"]
    json.dump(missing if found else [("all", "", "there is nothing to be read")], sys.stdout)
