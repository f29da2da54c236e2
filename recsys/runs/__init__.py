"""Runs: the stages of training in their order, and the life of one run of a job.

Reads and writes the table of runs and the workspace's lock; produces child processes and their logs. ``jobs`` and
``web`` both go by these rules. Every path, and the command that starts a job, is passed in.

    stages.py     the stages, in order
    lifecycle.py  a run's row: begin, heartbeat, progress, end, death
    launcher.py   a job in a child process: command line, log, exit
"""
