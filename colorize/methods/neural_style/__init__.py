"""Neural style (Gatys et al.): losses, the engine that evaluates them, the optimisers, the descent."""
