-- Documents indexed ÷ calls transcribed, as octaves from one to one.
SELECT entity,
       abs(log2_milli(times(documents_indexed_7d, 1000)) - log2_milli(times(audio_seconds_transcribed_7d, 8))) AS value
FROM workload
WHERE documents_indexed_7d > 0 AND audio_seconds_transcribed_7d >= 36000 AND byte_calls_per_hour >= 20
