"""Labels and stores to folds that cannot leak."""
