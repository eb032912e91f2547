-- Conformal rarity among those who declare the same use (everybody, where they are fewer than fifty).
SELECT p.entity, p.unusual_one_in AS value
FROM peers p JOIN workload w USING (entity)
WHERE w.byte_calls_per_hour >= 20 AND p.wider = 0
