"""The panel: pages for people, an API for programs."""
