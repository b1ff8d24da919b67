"""Names and grammars of Fetch, URL and RFC 9110, and the errors of a configuration."""
