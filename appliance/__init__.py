"""The control panel, the command line, the operations and what they remember."""

__version__ = "0.1.0"
