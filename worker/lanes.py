"""Weights and caps of single users in the fair release. The release itself is the scripts' (lanes.lua). Redis down: raises."""

from dataclasses import dataclass

from .store import Keys, Redis


@dataclass(frozen=True)
class Standing:
    """One user in the lanes. `weight` 2 is served twice as often as 1; `cap` None: the fleet's setting."""

    user_id: str
    weight: float
    cap: int | None
    in_flight: int
    waiting: dict[str, int]


class Lanes:
    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    def standing(self, user_id: str) -> Standing:
        """What holds for a user now."""
        redis, keys = self._redis, self._keys
        cap = redis.hget(keys.caps, user_id)
        return Standing(
            user_id=user_id,
            weight=float(str(redis.hget(keys.weights, user_id) or 1)),
            cap=int(str(cap)) if cap else None,
            in_flight=int(str(redis.hget(keys.in_flight, user_id) or 0)),
            waiting={lane: int(str(redis.llen(keys.waiting(lane, user_id)))) for lane in ("interactive", "batch")},
        )

    def change(self, user_id: str, weight: float | None, cap: int | None) -> None:
        """Set what is not None; in force from the next release."""
        if weight is not None:
            self._redis.hset(self._keys.weights, user_id, str(weight))
        if cap is not None:
            self._redis.hset(self._keys.caps, user_id, str(cap))

    def reset(self, user_id: str) -> None:
        """Back to weight 1 and the fleet's cap."""
        self._redis.hdel(self._keys.weights, user_id)
        self._redis.hdel(self._keys.caps, user_id)

    def special(self) -> list[str]:
        """Every user with a weight or cap of their own."""
        named = {*self._redis.hkeys(self._keys.weights), *self._redis.hkeys(self._keys.caps)}
        return sorted(str(user) for user in named)
