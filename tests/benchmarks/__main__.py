"""Every benchmark for a CPU, one after the other."""

from tests.benchmarks import commands, engine, matching

for benchmark in (engine, commands, matching):
    benchmark.main()
