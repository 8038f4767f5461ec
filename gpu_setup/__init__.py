"""Check a GPU installation step by step, and find the cause in a log."""
