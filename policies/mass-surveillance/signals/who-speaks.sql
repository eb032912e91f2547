-- Requests to identify speakers or faces for every hour of audio transcribed.
SELECT entity,
       permille(times(speakers_identified_7d + faces_identified_7d, 3600), audio_seconds_transcribed_7d) AS value
FROM workload
WHERE speakers_identified_7d + faces_identified_7d > 0
  AND audio_seconds_transcribed_7d >= 36000 AND byte_calls_per_hour >= 20
