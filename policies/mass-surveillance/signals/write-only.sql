-- Reads ÷ writes. High is evidence against: what is collected for itself is hardly listened to.
SELECT entity, permille(objects_read_7d, objects_written_7d) AS value
FROM workload
WHERE objects_written_7d > 0 AND byte_calls_per_hour >= 20
