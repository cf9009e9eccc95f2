"""Durable workflows: what is done to an instance, step by step, and how it is undone.

`requesting` is the door for pages, commands and schedules; `engine` carries operations out; `kinds/` has one module for each kind.
"""
