"""Every benchmark for a CPU, one after the other."""

from tests.benchmarks import colour, commands, engine, fullsize, matching, review

for benchmark in (engine, commands, matching, fullsize, colour, review):
    benchmark.main()
