"""What `bin/up` and `bin/test` do before anything is installed; only Python's standard library is there to be used."""
