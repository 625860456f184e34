"""``python -m gateway`` is ``jiesu``."""

from gateway.cli import main

main()
