-- Mean megabytes an object, where hardly anything is read and audio is transcribed or processed on own GPUs.
SELECT entity, ratio(bytes_per_object, 1000000) AS value
FROM workload
WHERE bytes_per_object > 100000000
  AND permille(objects_read_7d, objects_written_7d) < 100
  AND (audio_seconds_transcribed_7d > 0 OR gpu_hours_7d > 0)
