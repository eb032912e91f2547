-- Seconds transcribed ÷ seconds that the bytes (at 128 kbit/s) or the objects imply, whichever implies more.
SELECT entity,
       least(permille(audio_seconds_transcribed_7d,
                      greatest(ratio(bytes_in_7d, 16000), CASE WHEN bytes_per_object BETWEEN 65536 AND 16777216
                                                               THEN times(objects_written_7d, 120) ELSE 0 END)),
             1000) AS value
FROM workload
WHERE byte_calls_per_hour >= 20 AND audio_seconds_transcribed_7d > 0
