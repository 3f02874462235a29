"""`python -m tests.simulator --seeds 0:1000`: torture by hand; see README.md."""

import argparse
import sys

from tests.simulator.mutants import MUTANTS, NONE
from tests.simulator.torture import replay, run, timed, told


def main() -> int:
    """Run, tell, and fail where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator")
    parser.add_argument("--seeds", default="0:200", help="first:end")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--mutant", choices=MUTANTS, default=NONE, help="a broken order in place of the real one")
    parser.add_argument("--replay", type=int, metavar="SEED", help="tell all that happens in one world")
    options = parser.parse_args()
    if options.replay is not None:
        trace, complaints = replay(options.replay, options.mutant)
        print(*trace, *(f"BROKEN {words}" for words in complaints), sep="\n")
        return bool(complaints)
    seeds = range(*map(int, options.seeds.split(":")))
    if options.mutant != NONE:
        result, seconds = run(seeds, options.mutant), 1.0
    else:
        result, seconds = timed(seeds, options.jobs)
    print(told(result, seconds))
    for seed, complaints in sorted(result.failures.items()):
        print(f"seed {seed}:", *complaints, sep="\n  ")
    return bool(result.failures)


if __name__ == "__main__":
    sys.exit(main())
