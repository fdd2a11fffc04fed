"""Vectors as servers send them, and what of them is an answer. Pure."""

import base64
import binascii
import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from producer.contract.embeddings import MOST_BYTES, compact, unpacked

from ..faults import Fault, ProviderError
from ..rate_limit_headers import RateLimits
from .base import Call, Reply
from .bodies import clean, text_of
from .tool_calls import MOST_NAME_CHARACTERS
from .usages import NOTHING, Stated


@dataclass
class RawVectors:
    """An answer as read from one protocol, before it is judged.

    `stated`: each vector, numbers or base64 of little-endian 32-bit floats, in the texts' order.
    """

    stated: list[object] = field(repr=False)
    usage: Stated = NOTHING
    model: str = ""
    request_id: str | None = None


def vectors_reply(call: Call, raw: RawVectors, headers: Mapping[str, str]) -> Reply:
    """The answer, normalised.

    Raises `ProviderError` for one that is of no use, with the usage that it states.
    """
    rows = [row for row in map(_row, raw.stated) if row]
    reason = ""
    if len(rows) < len(raw.stated):
        reason = "a 200 with vectors that cannot be read"
    elif len(rows) != len(call.request.messages):
        reason = f"a 200 with {len(rows):,} vectors for {len(call.request.messages):,} texts"
    elif len({len(row) for row in rows}) > 1:
        reason = "a 200 with vectors of several sizes"
    elif 4 * len(rows) * len(rows[0]) > MOST_BYTES:
        reason = f"vectors of more than {MOST_BYTES:,} bytes"
    if reason:
        raise _unusable(Fault.BAD_RESPONSE, reason, raw)
    wanted = call.request.embedding and call.request.embedding.dimensions
    if wanted and len(rows[0]) != wanted:
        reason = f"the model has {len(rows[0]):,} numbers in each vector, whatever is asked for"
        raise _unusable(Fault.UNSUPPORTED, reason, raw)
    return Reply(
        text="",
        finish="stop",
        model=clean(text_of(raw.model))[:MOST_NAME_CHARACTERS] or call.model,
        usage=raw.usage.usage,
        vectors=compact(rows),
        provider_request_id=raw.request_id,
        rate_limits=RateLimits.from_headers(headers),
        flags=raw.usage.flags,
        charged_micro_usd=raw.usage.charged_micro_usd,
    )


def _row(stated: object) -> "array[float] | None":
    """None for one that cannot be read, or whose numbers are not finite."""
    try:
        if isinstance(stated, str):
            row = unpacked(base64.b64decode(stated, validate=True))
        elif isinstance(stated, list):
            row = array("f", stated)
        else:
            return None
    except (binascii.Error, TypeError, ValueError, OverflowError):
        return None
    return row if math.isfinite(sum(row)) else None


def _unusable(fault: Fault, reason: str, raw: RawVectors) -> ProviderError:
    error = ProviderError(fault, reason, maybe_billed=True, usage=raw.usage.usage)
    if fault is Fault.UNSUPPORTED:
        error.parameter = "dimensions"
    return error
