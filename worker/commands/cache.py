"""`completions cache`: bust cached answers by hand."""

import click

from ..runtime import current


@click.group()
def cache() -> None:
    """The response cache."""


@cache.command()
@click.option("--namespace", help="Only the entries of this namespace.")
@click.option("--all", "everything", is_flag=True, help="Every entry.")
def bust(namespace: str | None, everything: bool) -> None:
    """Hide cached answers from now on. They age out by their TTL; a new LLM_CACHE_VERSION does the same for one fleet.

    \b
    completions cache bust --namespace faq
    completions cache bust --all
    """
    if everything == bool(namespace):
        raise click.UsageError("say either --namespace NAME or --all")
    generation = current().cache.bust(namespace)
    click.echo(f"Busted {'all' if everything else 'namespace ' + str(namespace)}: generation {generation}.")
