"""YAML (the extra `exam`), in which a word is what it looks like: `equals: yes` is a text."""

import re
from typing import Any

from ..contract.errors import InvalidRequest
from ..extras import needs

_FLAG = "tag:yaml.org,2002:bool"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


def parsed(name: str, text: str) -> Any:
    """`name`: of the file. Raises `InvalidRequest`, also without the extra."""
    try:
        import yaml
    except ImportError:
        raise InvalidRequest(
            f"{needs(f'{name}: YAML', 'exam')}; .jsonl and .json need none"
        ) from None

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """YAML 1.1 takes yes, on and dates for something else, YAML 1.2 and people do not."""

        yaml_implicit_resolvers = {  # noqa: RUF012 -- PyYAML's own attribute
            sign: [each for each in resolvers if each[0] not in (_FLAG, _TIMESTAMP)]
            for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    Loader.add_implicit_resolver(_FLAG, re.compile(r"^(?:true|false)$", re.IGNORECASE), [*"tTfF"])
    try:
        return yaml.load(text, Loader)  # noqa: S506 -- it is a SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidRequest(f"{name}: no YAML ({' '.join(str(error).split())})") from None
