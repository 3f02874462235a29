"""`python -m tests.simulator --seeds 0:1000`: torture by hand; see README.md."""

import argparse
import sys

from tests.simulator.mutants import MUTANTS, NONE
from tests.simulator.torture import replay, timed, told


def say(*lines: str) -> None:
    """Each on a line of its own."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


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
        say(*trace, *(f"BROKEN {words}" for words in complaints))
        return bool(complaints)
    seeds = range(*map(int, options.seeds.split(":")))
    result, seconds = timed(seeds, options.jobs, options.mutant)
    say(told(result, seconds))
    for seed, complaints in sorted(result.failures.items()):
        say(f"seed {seed}:", *(f"  {words}" for words in complaints))
    return bool(result.failures)


if __name__ == "__main__":
    sys.exit(main())
