"""Figures that are measured, not asserted: each one beside a reference that was taken on the same machine at the same time."""
