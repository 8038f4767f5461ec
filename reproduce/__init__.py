"""Runs the other packages, and says how near they come to what the posts claim."""
