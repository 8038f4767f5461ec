"""The figures of the post, and the numbers behind them."""
