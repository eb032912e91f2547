-- Calls a day ÷ 4. Means of the whole window, so that daily rows speak as well as hourly ones.
SELECT entity, times(calls_per_hour_mean, 6) AS value FROM workload
