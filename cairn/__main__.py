"""`python -m cairn`, as the `cairn` command."""

from cairn.cli import main

main()
