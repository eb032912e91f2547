-- Characters translated for every hour of audio transcribed: speech has 45 to 65 thousand characters an hour.
SELECT entity, ratio(times(characters_translated_7d, 3600), audio_seconds_transcribed_7d) AS value
FROM workload
WHERE characters_translated_7d > 0 AND byte_calls_per_hour >= 20 AND audio_seconds_transcribed_7d >= 36000
