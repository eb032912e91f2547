-- Bytes in ÷ 1.9 MB, counted only when bundling (objects far larger than calls, hardly read) or own processing on GPUs
-- (hours that follow the intake) would hide the calls from the three estimates.
SELECT entity, byte_calls_per_hour AS value
FROM workload
WHERE (bytes_per_object > 100000000 AND permille(objects_read_7d, objects_written_7d) < 100
       AND (audio_seconds_transcribed_7d > 0 OR gpu_correlation_permille >= 400))
   OR gpu_correlation_permille >= 400
