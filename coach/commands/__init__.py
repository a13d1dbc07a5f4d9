"""One file per command: `register(subparsers)` adds its parser, whose `handler(args) -> exit status` does the work."""
