"""What servers prove by who they are: a certificate and its key, checked before use, exchanged while they run."""
