"""TARGETs: loads a file, an object or settings by name, and finds the layers of CORS."""
