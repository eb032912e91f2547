-- Correlation of GPU hours with bytes in, each hour of the day's mean removed: own transcription leaves no speech meter.
SELECT entity, gpu_correlation_permille AS value FROM workload WHERE byte_calls_per_hour >= 20
