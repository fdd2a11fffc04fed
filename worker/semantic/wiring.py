"""The semantic cache of one process, put together from its parts."""

from producer.contract.ledger.functions import Functions

from ..cache import Cache
from ..ledger.leases import Leases
from ..ledger.ledger import Ledger
from ..settings import Settings
from .cache import SemanticCache
from .errands import Errands, Run
from .index import LedgerIndex


def semantic_cache(
    settings: Settings, call: Functions, ledger: Ledger, leases: Leases, cache: Cache, run: Run
) -> SemanticCache:
    """`run`: what this process does with a job."""
    lease_ms = int(settings.ledger.lease_s * 1000)
    pays = settings.semantic.paid_by
    return SemanticCache(
        settings.semantic,
        cache,
        LedgerIndex(call, settings.semantic.max_error),
        Errands(call, ledger, leases, ledger.owner, lease_ms, run, pays),
        call,
        settings.errand_embeddings[0].name,
        settings.cache.ttl_s * 1000,
    )
