"""Pure values and arithmetic: product, release, instance, operation, version path."""
