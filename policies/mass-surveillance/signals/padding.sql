-- Where at least half as many objects are deleted as written: the share of the daily intake by which the store grows.
SELECT entity, permille(greatest(stored_growth_bytes_per_day, 0), ingress_bytes_per_day) AS value
FROM workload
WHERE permille(objects_deleted_7d, objects_written_7d) BETWEEN 500 AND 1500 AND calls_per_hour_mean >= 100
