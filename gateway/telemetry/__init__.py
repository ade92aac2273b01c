"""What can be seen from outside: whose call is at work, and what became of it. Knows no transport and no use case."""
