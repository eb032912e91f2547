-- Log-likelihood of the hours of the week, per call: a whole population telephoning against offices and an even flow.
SELECT entity, rhythm_milli AS value FROM workload WHERE calls_per_hour_p95 >= 100
