"""Which build of a release a host has: the same lock, templates and build steps give the same build, anything else another one."""

import hashlib
import json

from appliance.products.catalogue import Product

LENGTH = 8


def build_of(product: Product, version: str) -> str:
    """The first characters of a digest over all it is made from. Raises NotFound, ConfigurationError (a changed lock)."""
    definition = product.definition
    digest = hashlib.sha256(product.lock_of(version).read_bytes())
    for file in product.made_from(version):
        digest.update(file.read_bytes())
    steps = [step.model_dump(mode="json") for step in definition.prebuild_of(version)]
    digest.update(json.dumps([steps, definition.build_environment], sort_keys=True).encode())
    return digest.hexdigest()[:LENGTH]
