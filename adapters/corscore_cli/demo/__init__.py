"""``corscore demo``: an API in several frameworks, and a page on another origin."""
