"""Durable workflows: what is done to an instance, step by step, and how it is undone."""
