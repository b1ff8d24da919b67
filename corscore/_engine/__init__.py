"""From checked options to answers: the compiled policy, one source in two builds."""
