-- Bytes out (to users and networks) ÷ bytes in. High is evidence against. Bulk export is not use, so it is left out.
SELECT entity, permille(bytes_out_7d + bytes_cdn_7d, bytes_in_7d) AS value
FROM workload
WHERE byte_calls_per_hour >= 20
