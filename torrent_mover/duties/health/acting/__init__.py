"""The acting half of health: one executor, its stories, the bin. Nothing else of the duty changes anything outside the journal."""
