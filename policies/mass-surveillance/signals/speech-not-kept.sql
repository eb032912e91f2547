-- Audio transcribed ÷ audio stored, at the leanest encoding (5 MB an hour): far above one, it is used and not collected.
SELECT entity, permille(audio_seconds_transcribed_7d, greatest(ratio(bytes_in_7d, 1400), 1)) AS value
FROM workload
WHERE audio_seconds_transcribed_7d > 0
