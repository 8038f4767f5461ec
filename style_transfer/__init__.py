"""Artistic style transfer after Gatys, Ecker and Bethge (2015)."""
