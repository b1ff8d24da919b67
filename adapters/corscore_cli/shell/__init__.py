"""What all commands share: the entry point, what they print, how they ask servers."""
