"""Programs that are sent to a host and run there by its own Python 3.9 or newer: the standard library only, one file each."""
