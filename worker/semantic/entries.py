"""A question whose cached answer may be given to near ones, as it is kept."""

import json
from typing import NamedTuple


class Entry(NamedTuple):
    """Its repr shows the question: never log it."""

    maker: str
    """The user whose job made the answer, as the exact cache names them."""
    content: str
    """The exact cache's name of the answer."""
    namespace: str
    vector: str
    """As `vectors.packed` gives it."""
    question: str

    def body(self) -> str:
        return json.dumps(self, ensure_ascii=False)

    @classmethod
    def read(cls, body: str) -> "Entry":
        return cls(*json.loads(body))
