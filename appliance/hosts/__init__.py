"""Reach a machine: playbook runs for changes, streamed commands for data movement."""
