"""Database engines: how each is dumped consistently, restored and measured.

To add one (MariaDB, SQLite): write a module with a class of the shape `backup.engines.shape.Engine` and name it in
`backup.engines.registry`.
"""
