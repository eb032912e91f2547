-- The 95th percentile over the complete hours of the last 7 days of the median of three independent estimates of calls.
SELECT entity, calls_per_hour_p95 AS value FROM workload
