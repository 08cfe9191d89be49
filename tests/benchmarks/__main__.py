"""Every benchmark for a CPU, one after the other."""

from tests.benchmarks import colour, commands, engine, fullsize, matching

for benchmark in (engine, commands, matching, fullsize, colour):
    benchmark.main()
