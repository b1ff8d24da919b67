"""What the standards define (Fetch, URL, RFC 9110), and the errors of a configuration."""
