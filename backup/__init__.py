"""Snapshots, restores and recovery points. Runs on the CRM's host; usable with the panel dead."""
