"""``python -m corscore_cli``: the command, where its script is not on the path."""

from corscore_cli.shell.main import main

main()
