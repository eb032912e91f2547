-- How many of four marks an entity bears. Each is ordinary; capped at 4 dB together.
SELECT w.entity,
       coalesce(f.isolated, 0) + coalesce(f.dedicated_link, 0)
       + CASE WHEN w.service_hours_7d > 0 THEN 1 ELSE 0 END
       + CASE WHEN f.use_declared = 0 THEN 1 ELSE 0 END AS value
FROM workload w JOIN facts f USING (entity)
WHERE f.use_declared IS NOT NULL AND w.byte_calls_per_hour >= 20
