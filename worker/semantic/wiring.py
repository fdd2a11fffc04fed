"""The semantic cache of one process, put together from its parts."""

from collections.abc import Callable

from producer.contract.ledger.functions import Functions

from ..cache import Cache
from ..ledger.leases import Leases
from ..ledger.ledger import Ledger
from ..settings import Settings
from .cache import SemanticCache
from .chroma import Chroma
from .chroma_index import ChromaIndex
from .errands import Errands, Run
from .index import Index
from .ledger_index import LedgerIndex


def semantic_cache(
    settings: Settings,
    call: Functions,
    ledger: Ledger,
    leases: Leases,
    cache: Cache,
    run: Run,
    index_failed: Callable[[], None],
) -> SemanticCache:
    """`run`: what this process does with a job. `index_failed` is called where the index has a
    server of its own, whenever that does not answer.
    """
    lease_ms = int(settings.ledger.lease_s * 1000)
    wanted = settings.semantic
    index: Index = LedgerIndex(call, wanted.max_error)
    if wanted.index:
        url, fleet = wanted.index.get_secret_value(), settings.redis.prefix
        chroma = Chroma(url, fleet, wanted.timeout_ms / 1000, index_failed)
        index = ChromaIndex(call, wanted.max_error, chroma)
    return SemanticCache(
        wanted,
        cache,
        index,
        Errands(call, ledger, leases, ledger.owner, lease_ms, run, wanted.paid_by),
        call,
        settings.errand_embeddings[0].name,
        settings.cache.ttl_s * 1000,
    )
