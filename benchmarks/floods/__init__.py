"""Floods against a real service: what robots, rings and forgers move, live and after the next training."""
