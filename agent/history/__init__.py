"""What is known of the past: grids in memory, and the store behind them."""
