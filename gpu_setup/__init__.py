"""Check a GPU installation step by step, and open a remote notebook through ssh."""
