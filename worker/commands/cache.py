"""`completions cache`: bust cached answers by hand."""

import click

from ..ledger.connection import LedgerConnection
from .semantic import semantic, wrong
from .servers import ledger_connection


@click.group()
def cache() -> None:
    """The response cache."""


cache.add_command(semantic)
cache.add_command(wrong)


@cache.command()
@click.option("--namespace", help="Only the entries of this namespace.")
@click.option("--tag", help="Only the entries that a request with this tag made.")
@click.option("--all", "everything", is_flag=True, help="Every entry.")
def bust(namespace: str | None, tag: str | None, everything: bool) -> None:
    """Hide cached answers from now on. They age out by their TTL; a new LLM_CACHE_VERSION does the
    same for one fleet.

    \b
    completions cache bust --namespace faq
    completions cache bust --tag prices-2026
    completions cache bust --all
    """
    if sum((everything, bool(namespace), bool(tag))) != 1:
        raise click.UsageError("say one of --namespace NAME, --tag TAG and --all")
    with ledger_connection() as connection:
        if tag:
            _bust_tag(connection, tag)
            click.echo(f"Busted what was made with the tag {tag}.")
        elif namespace:
            generation = _next_generation(connection, f"ns:{namespace}")
            click.echo(f"Busted namespace {namespace}: generation {generation}.")
        else:
            generation = _next_generation(connection, "all")
            click.echo(f"Busted all: generation {generation}.")


def _next_generation(connection: LedgerConnection, name: str) -> int:
    """Entries carry the generation that they were made in; those of an older one are not found."""
    return int(connection.redis.hincrby(connection.keys.cache_generations, name, 1))


def _bust_tag(connection: LedgerConnection, tag: str) -> None:
    """Entries with the tag that were made until now are not found."""
    seconds, microseconds = connection.redis.time()
    now_ms = int(seconds * 1000 + microseconds // 1000)
    connection.redis.hset(connection.keys.cache_generations, f"tag:{tag}", now_ms)
