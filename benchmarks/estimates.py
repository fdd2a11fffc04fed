"""What a limit of tokens lets through when holds are estimates: texts of 25 kinds in 14 scripts,
tool schemas and images of all sizes, in orders chosen to hurt. Without a network.

    python benchmarks/estimates.py
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.estimating import MODELS, everything, orders, spend

from worker.model_catalog import Models
from worker.providers.tokens import Estimator

SHARE = 0.5
"""Of what all requests take: how high the limit is."""


def main() -> None:
    asked = everything(seed=1, count=960)
    print(
        f"{'provider':<10} {'order':<14} {'spent of limit':>14} {'below':>6} {'held of used':>12}"
    )
    for provider in MODELS:
        for name, order in orders(asked, provider).items():
            spent = spend(Estimator(Models.load()), provider, order, SHARE)
            print(
                f"{provider:<10} {name:<14} {spent.used / spent.limit:>14.1%} {spent.below:>6}"
                f" {spent.held / spent.used:>12.2f}"
            )


if __name__ == "__main__":
    main()
