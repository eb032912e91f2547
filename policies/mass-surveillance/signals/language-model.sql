-- Tokens through language models for every hour of audio transcribed: a transcript has 12 to 27 thousand.
SELECT entity, ratio(times(tokens_processed_7d, 3600), audio_seconds_transcribed_7d) AS value
FROM workload
WHERE tokens_processed_7d > 0 AND byte_calls_per_hour >= 20 AND audio_seconds_transcribed_7d >= 36000
