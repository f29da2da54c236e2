"""Benchmark of the classifiers: accuracy on articles whose category is held out, beside baselines."""
