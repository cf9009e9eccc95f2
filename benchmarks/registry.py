"""All measures: every module in `benchmarks/measures` has one as `MEASURE`, so adding a measure is adding a file."""

import importlib
import pkgutil

from benchmarks import measures
from benchmarks.figure import Measure


def all_measures() -> dict[str, Measure]:
    """The measures by name, in the order of their names."""
    modules = [importlib.import_module(f"{measures.__name__}.{found.name}") for found in pkgutil.iter_modules(measures.__path__)]
    found: list[Measure] = [module.MEASURE for module in modules]
    return {measure.name: measure for measure in sorted(found, key=lambda measure: measure.name)}
