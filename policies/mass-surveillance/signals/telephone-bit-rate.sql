-- Bytes in per hour of audio transcribed, against 30 MB (telephone recordings lie between 5 and 120 MB an hour). Where
-- only a part is transcribed the ratio is too high to tell, so it speaks from a tenth of the audio on.
SELECT entity,
       abs(log2_milli(ratio(bytes_in_7d, ratio(audio_seconds_transcribed_7d, 3600))) - log2_milli(30000000)) AS value
FROM workload
WHERE byte_calls_per_hour >= 20
  AND times(audio_seconds_transcribed_7d, 10) >= times(ratio(bytes_in_7d, 1900000), 120)
