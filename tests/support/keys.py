"""Every key of the ledger, for tests that look behind the functions. What each holds is in
docs/redis-keys.md.
"""

from worker.ledger.keys import Keys


def two_texts(first: str, second: str) -> str:
    return f"{len(first.encode())}:{first}:{second}"


class AllKeys(Keys):
    """Those that no product code reads are named here as `lua/keys.lua` names them."""

    def ring(self, lane: str, link: str = "") -> str:
        return f"{self.root}ring:{lane}:{link}" if link else f"{self.root}ring:{lane}"

    def gone(self, lane: str, link: str = "") -> str:
        return f"{self.root}gone:{lane}:{link}" if link else f"{self.root}gone:{lane}"

    def budget(self, unit: str, kind: str, name: str) -> str:
        return f"{self.root}bud:{unit}:{kind}:{name}"

    def idempotency(self, user_id: str, name: str) -> str:
        return f"{self.root}ik:{two_texts(user_id, name)}"

    def cached_entry(self, generations: str, namespace: str, content: str) -> str:
        return f"{self.root}c:{generations}:{two_texts(namespace, content)}"

    def flight(self, generations: str, namespace: str, content: str) -> str:
        return f"{self.root}sf:{generations}:{two_texts(namespace, content)}"

    def near_served(self, name: str) -> str:
        return f"{self.root}sv:{name}"

    def near_judge(self, name: str) -> str:
        return f"{self.root}sj:{name}"

    def request(self, name: str) -> str:
        return f"{self.root}q:{name}"

    def continuation(self, name: str) -> str:
        return f"{self.root}h:{name}"

    def batch_staged(self, name: str) -> str:
        return f"{self.root}bw:{name}"

    def batch_live(self, name: str) -> str:
        return f"{self.root}bl:{name}"

    def followers(self, name: str) -> str:
        return f"{self.root}f:{name}"

    def bench(self, name: str) -> str:
        return f"{self.root}bench:{name}"

    def pace(self, name: str) -> str:
        return f"{self.root}pace:{name}"

    @property
    def behind(self) -> str:
        return f"{self.root}behind"

    @property
    def gates(self) -> str:
        return f"{self.root}gates"

    @property
    def gated(self) -> str:
        return f"{self.root}gated"

    def hurt_users(self, what: str, minute: int) -> str:
        return f"{self.root}hurt:{what}:{minute}"

    @property
    def numbers(self) -> str:
        return f"{self.root}num"

    @property
    def benches(self) -> str:
        return f"{self.root}benches"

    @property
    def parked(self) -> str:
        return f"{self.root}park"

    @property
    def deadlines(self) -> str:
        return f"{self.root}dl"

    @property
    def unreported(self) -> str:
        return f"{self.root}unrep"

    @property
    def cooling(self) -> str:
        return f"{self.root}cooling"

    @property
    def sequence(self) -> str:
        return f"{self.root}seq"

    @property
    def ending_batches(self) -> str:
        return f"{self.root}bends"

    @property
    def batches_to_keep(self) -> str:
        return f"{self.root}bkeep"

    @property
    def held_lines(self) -> str:
        return f"{self.root}hlines"

    @property
    def stored_texts(self) -> str:
        return f"{self.root}docs"

    def stored_text_expected(self, sha: str) -> str:
        return f"{self.root}docx:{sha}"

    def stored_text_wanted(self, sha: str) -> str:
        return f"{self.root}docu:{sha}"

    @property
    def workers(self) -> str:
        return f"{self.root}wk"

    @property
    def slots(self) -> str:
        return f"{self.root}slots"

    @property
    def skews(self) -> str:
        return f"{self.root}skew"

    @property
    def worker_settings(self) -> str:
        return f"{self.root}wset"

    @property
    def worker_clocks(self) -> str:
        return f"{self.root}wclk"

    @property
    def worker_lanes(self) -> str:
        return f"{self.root}wlane"

    @property
    def open_batch(self) -> str:
        return f"{self.root}openb"

    @property
    def libraries(self) -> str:
        return f"{self.root}versions"
