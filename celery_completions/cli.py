"""The `completions` command, which works in any folder: it imports nothing by a short name."""

from importlib import import_module

from .private import PREFIX


def main() -> None:
    import_module(f"{PREFIX}producer.cli").main()
