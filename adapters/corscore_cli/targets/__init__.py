"""TARGET: loads what a user names, and finds its layers of CORS."""
