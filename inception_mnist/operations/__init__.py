"""What the 1x1 reductions of Inception modules save: counted, drawn and timed."""
