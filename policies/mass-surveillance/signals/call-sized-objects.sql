-- How far the mean object lies from 1 MB, in octaves (thousandths): a call is 0.15 to 2.4 MB by its encoding.
SELECT entity, abs(log2_milli(bytes_per_object) - log2_milli(1000000)) AS value
FROM workload
WHERE objects_written_7d > 0 AND byte_calls_per_hour >= 20
