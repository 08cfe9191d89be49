"""Every benchmark for a CPU, one after the other."""

from tests.benchmarks import commands, matching

for benchmark in (commands, matching):
    benchmark.main()
