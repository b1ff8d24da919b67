"""``python -m corscore_cli``: the command, without its script."""

from corscore_cli.shell.main import main

main()
