"""Database engines: how each is dumped consistently, restored and measured.

To add one: write a spec in `backup.database_spec`, a module with a class of the shape `backup.engines.shape.Engine`, and name both in
`backup.engines.registry`.
"""
