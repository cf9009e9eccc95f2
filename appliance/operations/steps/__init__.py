"""Steps that several kinds of operation are made of."""
