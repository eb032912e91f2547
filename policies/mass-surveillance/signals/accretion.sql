-- Robust slope of the bytes stored over 28 days, in calls of 1.9 MB. Only of an intake that looks like calls.
SELECT entity, greatest(ratio(stored_growth_bytes_per_day, 1900000), 0) AS value
FROM workload
WHERE calls_per_hour_mean >= 100
