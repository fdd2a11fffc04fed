"""A batch's progress without a batch."""

from producer.ledger_replies import Progress

TEXTS = {
    "batch_id": "<b>",
    "user_id": "u",
    "label": "",
    "state": "open",
    "held_back": "",
    "slowest": "",
    "waits_for": "",
}


def progress(**fields):
    """Four items, of which nothing is done yet, but for `fields`."""
    zeros = dict.fromkeys(Progress.__dataclass_fields__, 0)
    return Progress(**(zeros | TEXTS | {"total": 4} | fields))
