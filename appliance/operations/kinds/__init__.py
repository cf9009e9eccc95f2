"""One module for each kind of operation: what it accepts and the steps it is made of."""
