"""Runs: the stages of training in their order, and the life of one run of a job, from the wish to the end.

Reads and writes the tables of runs and schedules, and the workspace's lock; produces child processes and their logs.
``jobs`` and ``web`` both go by these rules. Every path, and the command that starts a job, is passed in.

    stages.py     the stages, in order
    count_names.py what their counts are called
    commands.py   a job and its parameters -> a command line; the end of a run's log
    lifecycle.py  a run's row: begin, heartbeat, progress, end, and who gives it up
    schedules.py  five fields of cron and a time zone -> times
    setting.py    schedules that are set, checked; those of the configuration
    uploads.py    files that were sent and wait for their import
    worker.py     queued runs -> child processes; schedules -> queued runs
"""
