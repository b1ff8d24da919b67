"""The entry point, options, output and the HTTP client of all commands."""
