-- Share of the store moved out in 24 hours ÷ the highest share of a day in the four weeks before; from 2 % of it on.
SELECT entity,
       permille(permille(moved_out_bytes_24h, stored_bytes), greatest(moved_out_own_high_permille, 4)) AS value
FROM workload
WHERE byte_calls_per_hour >= 20 AND permille(moved_out_bytes_24h, stored_bytes) >= 20
