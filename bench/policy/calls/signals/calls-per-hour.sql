SELECT entity, calls_per_hour_p95 AS value FROM workload
