-- Highest correlation of the hourly changes of audio and characters, at lags of 0 to 6 hours.
SELECT entity, translation_correlation_permille AS value FROM workload WHERE byte_calls_per_hour >= 20
