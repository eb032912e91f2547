-- Telephony minutes, messages, delivered megabytes and device messages for each call of the intake.
SELECT entity,
       permille(telephony_minutes_7d + messages_sent_7d + ratio(bytes_cdn_7d, 1000000) + iot_messages_7d,
                ratio(bytes_in_7d, 1900000)) AS value
FROM workload
WHERE byte_calls_per_hour >= 20
  AND (audio_seconds_transcribed_7d > 0 OR calls_per_hour_mean >= 100 OR gpu_hours_7d > 0)
