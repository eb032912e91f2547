-- Share of the hours with at least 0.3 of the 95th percentile. Only where there are calls to speak of.
SELECT entity, busy_hours_permille AS value FROM workload WHERE calls_per_hour_p95 >= 100
