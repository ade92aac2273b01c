"""The command line: parse, then delegate."""
