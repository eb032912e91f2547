-- Calls an hour ÷ the calls an hour that were declared, or verified where that is more.
SELECT w.entity,
       permille(coalesce(w.calls_per_hour_p95, w.calls_per_hour_mean),
                greatest(coalesce(f.declared_calls_per_hour, 1), coalesce(f.verified_calls_per_hour, 1))) AS value
FROM workload w JOIN facts f USING (entity)
WHERE (f.declared_calls_per_hour IS NOT NULL OR f.verified_calls_per_hour IS NOT NULL)
  AND w.calls_per_hour_mean >= 100
