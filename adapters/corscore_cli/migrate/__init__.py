"""Other libraries' options as a policy, compared in the browser model."""
