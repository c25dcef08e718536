"""The benchmarks: the engine as it runs, beside the programs that people use otherwise, on this machine, in the same minutes."""
