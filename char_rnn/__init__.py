"""Vanilla recurrent networks that write text, one character at a time (post 2)."""
