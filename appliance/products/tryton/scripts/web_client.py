"""Fed to Python while a release is built: lays out what the web client's page names in `static/`, and gives up npm's other packages."""
# mypy: ignore-errors

import re
import shutil
from pathlib import Path

MODULES, STATIC = Path("node/node_modules"), Path("static")
CLIENT = MODULES / "tryton-sao"
OWN = ("COPYRIGHT", "LICENSE", "dist", "images", "index.html", "locale", "sounds")
# Where the page of series 7.0, which expects bower's packages, finds what npm calls or lays out otherwise.
ELSEWHERE = {"Sortable": "sortablejs", "d3/d3.min.js": "d3/dist/d3.min.js"}
WITH_FONTS = ("bootstrap",)


def take_over(source, target):
    """A file or directory, into a place that may not exist yet."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def origin(wanted):
    """The file in npm's packages for a path that the page names."""
    for place, source in ELSEWHERE.items():
        if wanted == place or wanted.startswith(f"{place}/"):
            return MODULES / (source + wanted.removeprefix(place))
    return MODULES / wanted


shutil.rmtree(STATIC, ignore_errors=True)
for name in OWN:
    take_over(CLIENT / name, STATIC / name)
page = (STATIC / "index.html").read_text()
for folder, wanted in re.findall(r'(?:src|href)="(bower_components|node_modules)/([^"]+)"', page):
    take_over(origin(wanted), STATIC / folder / wanted)
    for package in WITH_FONTS:
        take_over(MODULES / package / "dist", STATIC / folder / package / "dist")
named = re.findall(r'(?:src|href)="((?:bower_components|node_modules|dist|images)/[^"]+)"', page)
if absent := [name for name in named if not (STATIC / name).is_file()]:
    raise SystemExit(f"the web client lacks {', '.join(absent)}")
shutil.rmtree("node")
print("web client ready")
