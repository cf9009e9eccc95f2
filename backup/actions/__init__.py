"""One module per verb: each takes its spec and a reporter and gives the facts of the result."""
