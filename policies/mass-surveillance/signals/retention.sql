-- Bytes kept ÷ the median day's intake, in tenths of a day. Only where there is an intake of calls to speak of.
SELECT entity, ratio(times(stored_bytes, 10), ingress_bytes_per_day) AS value
FROM workload
WHERE byte_calls_per_hour >= 20
