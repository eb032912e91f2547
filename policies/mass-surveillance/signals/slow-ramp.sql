-- Sign test of each day against the same weekday a week before: (2·rising − n) ÷ √n, here by √21 = 4.583.
SELECT entity, ratio(times(times(days_rising, 2) - days_compared, 100000), 4583) AS value
FROM workload
WHERE days_compared >= 14 AND calls_per_day >= 2400
