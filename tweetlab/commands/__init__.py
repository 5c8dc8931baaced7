"""The command line, a file a command; nothing heavy is imported until one runs."""

__all__ = ["doctor"]
