SELECT entity, permille(audio_seconds_transcribed_7d, ratio(bytes_in_7d, 16000)) AS value
FROM workload
WHERE audio_seconds_transcribed_7d > 0 AND bytes_in_7d > 16000
