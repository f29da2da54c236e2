"""Forecast: clicks of a site, a section or an article -> what is expected of them, with bands of 90 %.

Reads times of clicks; produces expected clicks of the hours to come. Nothing of it ranks a list.

    steps       the grain of all series
    series      clicks -> even steps, and the gaps in which nothing was counted
    calendar    steps -> local hours, readers' days, weekends
    contract    every forecaster: fitted on a past, asked at an origin
    naive       as the last hour, a day ago, a week ago
    profile     the last day's level × the profile of a week
    lags        a series -> columns relative to its level
    regression  ridge and boosted trees on those columns
    recurrent   LSTM and GRU beside them
    structural  level, day, weekday, time of day and a short memory in a Kalman filter: what the system uses
    bands       outcomes -> how wide a band must be
    trees       rows of columns -> boosted trees
    articles    an article's first hours -> its first day, from the columns of article_columns
    expected    what a release carries: expectations of the days to come
    expecting   clicks by section -> such expectations
    alerts      expectations and what came -> what is out of the ordinary
    backtest    a forecaster judged on a rolling origin
"""
