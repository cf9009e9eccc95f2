"""One module per measure, each with a `MEASURE`."""
