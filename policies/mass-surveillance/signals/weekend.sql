-- Mean hour of the weekend ÷ mean hour of the working week.
SELECT entity, weekend_permille AS value FROM workload WHERE calls_per_hour_p95 >= 100
