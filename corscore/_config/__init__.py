"""From what a user wrote to checked options."""
