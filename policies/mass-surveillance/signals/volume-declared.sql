-- Calls an hour ÷ the calls an hour that were declared, or verified where that is more. Of several accounts only those
-- that declare a volume are held against it.
SELECT w.entity,
       permille(CASE WHEN w.accounts = 1 THEN coalesce(w.calls_per_hour_p95, w.calls_per_hour_mean)
                     ELSE f.declaring_calls_per_hour END,
                greatest(coalesce(f.declared_calls_per_hour, 1), coalesce(f.verified_calls_per_hour, 1))) AS value
FROM workload w JOIN facts f USING (entity)
WHERE f.declared_calls_per_hour IS NOT NULL AND w.calls_per_hour_mean >= 100
