"""`completions cache`: bust cached answers by hand."""

import click

from ..runtime import current


@click.group()
def cache() -> None:
    """The response cache."""


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
    if tag:
        current().cache.bust_tag(tag)
        click.echo(f"Busted what was made with the tag {tag}.")
        return
    generation = current().cache.bust(namespace)
    click.echo(
        f"Busted {'all' if everything else 'namespace ' + str(namespace)}: generation {generation}."
    )
